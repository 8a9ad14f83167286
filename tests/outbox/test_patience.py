"""How long an effect is tried: for an hour, webhooks for three days; and who waits behind one that is."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import transaction

from backend.outbox import attempts, messages, order, patience
from backend.outbox.models import Message, MessageState, Queue
from tests.support import holder

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only]
KIND = f"{patience.WEBHOOK}:booking.approved"


def owe(now: datetime, key: str) -> Message:
    with transaction.atomic():
        uuid = messages.emit(
            queue=Queue.CALLS, kind=KIND, dedupe_key=key, now=now, recipient="webhook:1", booking_id=1, subject_id=1
        )
    return Message.objects.get(uuid=uuid)


def test_a_webhook_is_tried_for_three_days(now: datetime) -> None:
    row, began = owe(now, "1"), now
    for _ in range(patience.DAYS.attempts_most):
        [held] = messages.claim(Queue.CALLS, now=now)
        assert holder.begin_attempt(held, now=now)
        holder.back_off(held, "HTTP 500", now=now)
        row.refresh_from_db()
        now = max(now, row.next_attempt_at)
    assert row.state == MessageState.DEAD
    assert timedelta(hours=72) * (1 - attempts.JITTER) < now - began < timedelta(hours=72) * (1 + attempts.JITTER)
    assert sum(patience.DAYS.waits, timedelta()) > timedelta(hours=71)


def test_its_wait_is_not_taken_for_a_clock_s_fault(now: datetime) -> None:
    row = owe(now, "1")
    long = {"attempts": 8, "next_attempt_at": now + timedelta(hours=17)}
    Message.objects.filter(pk=row.pk).update(**long)
    assert messages.mend_turns(now=now) == 0
    Message.objects.filter(pk=row.pk).update(kind="sms:x")
    assert messages.mend_turns(now=now) == 1


def test_who_waits_for_one_that_is_tried_hours_later_looks_seldom(now: datetime) -> None:
    elder, younger = owe(now, "1"), owe(now, "2")
    for away, looks in ((0, 1), (90, 90), (36_000, 600)):
        Message.objects.filter(pk=elder.pk).update(next_attempt_at=now + timedelta(seconds=away))
        elders = order.elders([elder, younger], now=now)
        assert elders == {elder.pk: set(), younger.pk: {elder.pk}}
        assert order.next_looks([younger], elders, now=now) == {younger.pk: now + timedelta(seconds=looks)}


def test_a_room_is_tried_again_within_seconds_and_each_of_its_waits_is_known(now: datetime) -> None:
    row, kind = owe(now, "1"), f"{patience.ROOM}:make"
    assert patience.of(kind).wait(1) == timedelta(seconds=1)
    for attempt in range(1, patience.OFTEN.attempts_most):
        usual = now + patience.OFTEN.wait(attempt)
        Message.objects.filter(pk=row.pk).update(kind=kind, attempts=attempt, next_attempt_at=usual)
        assert messages.mend_turns(now=now) == 0
        Message.objects.filter(pk=row.pk).update(next_attempt_at=usual + timedelta(hours=2))
        assert messages.mend_turns(now=now) == 1
