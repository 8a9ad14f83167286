"""What operators are told of channels to telephones: that one reaches nobody any more."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from backend.ops import findings, metrics, snapshot
from backend.outbox.models import Delivery, Message, MessageState, Queue
from backend.outbox.patience import FALLBACK_AFTER
from tests.support import system_health

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
MINUTE = timedelta(minutes=1)


def texts(many: int, *, now: datetime, channel: str = "sms", **fields: object) -> None:
    """As many that ended so, some time ago."""
    one = system_health.due_message("mail", now=now)
    same = {name: getattr(one, name) for name in ("not_before", "next_attempt_at", "created_at")}
    ended = {"state": MessageState.DONE, "settled_at": now - FALLBACK_AFTER - MINUTE, **fields}
    begin = Message.objects.count()
    Message.objects.bulk_create(
        Message(queue=Queue.CALLS, kind=f"text:{channel}:session_imminent", dedupe_key=f"t{begin + n}", **same, **ended)
        for n in range(many)
    )


def told(now: datetime) -> list[str]:
    found = findings.judge(snapshot.take_snapshot(now=now))
    return [finding.text for finding in found if finding.component == "channels"]


UNREACHED = {
    "not delivered": {"delivery": Delivery.BOUNCED},
    "never heard of": {"delivery": ""},
    "taken back, as the provider took nothing": {"state": MessageState.OBSOLETE, "last_error": "code 132015"},
    "given up": {"state": MessageState.DEAD},
}


@pytest.mark.parametrize("how", UNREACHED)
@pytest.mark.parametrize(("reached", "unreached", "is_told"), [(5, 6, True), (6, 6, False), (0, 4, False)])
def test_a_channel_that_reaches_less_than_half_is_told(
    how: str, reached: int, unreached: int, is_told: bool, now: datetime
) -> None:
    texts(reached, now=now, delivery=Delivery.DELIVERED)
    texts(unreached, now=now, **UNREACHED[how])
    texts(20, now=now, channel="whatsapp", delivery=Delivery.DELIVERED)
    expected = [f"Reminders by sms that reached nobody there, of {reached + unreached} within a day: {unreached}."]
    assert told(now) == (expected if is_told else [])


def test_what_was_sent_just_now_or_is_no_longer_true_counts_for_nothing(now: datetime) -> None:
    texts(9, now=now, settled_at=now - FALLBACK_AFTER + MINUTE)
    texts(9, now=now, state=MessageState.OBSOLETE)
    texts(9, now=now, delivery=Delivery.BOUNCED, settled_at=now - timedelta(hours=25))
    assert told(now) == []


def test_the_metric_has_both_and_mails_are_none_of_them(now: datetime) -> None:
    texts(3, now=now, delivery=Delivery.DELIVERED)
    texts(2, now=now, delivery=Delivery.BOUNCED)
    page = metrics.exposition(snapshot.take_snapshot(now=now)).decode()
    assert 'texts_last_day{channel="sms",result="reached"} 3' in page
    assert 'texts_last_day{channel="sms",result="unreached"} 2' in page
    assert "text:" not in page
