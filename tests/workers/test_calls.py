"""The calls queue: each kind has its performer, and what none knows is not lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from backend.outbox import messages
from backend.outbox.models import Message, MessageState, Queue
from workers import calls

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only]


def owe(kind: str) -> Message:
    now = timezone.now() - timedelta(seconds=1)
    with transaction.atomic():
        uuid = messages.emit(queue=Queue.CALLS, kind=kind, dedupe_key=kind, now=now)
    return Message.objects.get(uuid=uuid)


def test_a_kind_goes_to_its_performer_by_its_first_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(calls._PERFORMERS, "sms", lambda _message: MessageState.DONE)
    row = owe("sms:reminder")
    calls.drain()
    row.refresh_from_db()
    assert row.state == MessageState.DONE


def test_a_kind_of_a_newer_release_waits() -> None:
    row = owe("pigeon:letter")
    calls.drain()
    row.refresh_from_db()
    assert (row.state, row.attempts, row.last_error) == (MessageState.WAITING, 1, "KeyError")
    assert row.next_attempt_at > timezone.now()
