"""What operators are told of mail: that a second provider carries it, and that much of it reaches nobody."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.ops import findings, snapshot
from backend.outbox import outlets
from backend.outbox.models import Delivery, Message, MessageState
from tests.support import system_health

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]


def told(now: datetime) -> list[str]:
    found = findings.judge(snapshot.take_snapshot(now=now))
    return [finding.text for finding in found if finding.component == "mail"]


@pytest.mark.parametrize(("minutes", "host", "is_told"), [(4, "smtp", False), (5, "smtp", True), (5, "", False)])
def test_a_second_provider_in_use_is_told(minutes: int, host: str, is_told: bool, now: datetime, settings: Any) -> None:
    settings.EMAIL_FALLBACK = {"host": host} if host else {}
    outlets.note_refused("SMTP 535", now=now - timedelta(minutes=minutes))
    assert [text for text in told(now) if "SMTP 535" in text] == told(now)
    assert bool(told(now)) is is_told


@pytest.mark.parametrize(("delivered", "bounced", "is_told"), [(95, 5, False), (94, 6, True), (0, 4, False)])
def test_many_bounces_are_told(delivered: int, bounced: int, is_told: bool, now: datetime) -> None:
    ends = [Delivery.DELIVERED] * delivered + [Delivery.BOUNCED] * bounced + [""] * 50
    one = system_health.due_message("mail", now=now)
    Message.objects.bulk_create(
        Message(
            **{name: getattr(one, name) for name in ("queue", "kind", "not_before", "next_attempt_at", "created_at")},
            dedupe_key=f"m{number}",
            state=MessageState.DONE,
            settled_at=now,
            delivery=end,
        )
        for number, end in enumerate(ends)
    )
    assert bool(told(now)) is is_told
