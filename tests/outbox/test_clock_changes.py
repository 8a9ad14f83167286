"""The outbox under a clock that steps back two hours: nothing waits for the old time, and nothing is done twice."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import transaction

from backend.bookings import policy
from backend.outbox import attempts, messages
from backend.outbox.models import Message, MessageState, Queue
from tests.support import holder
from workers import timers

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
TWO_HOURS = timedelta(hours=2)


def owe(now: datetime, **fields: object) -> Message:
    given = {"queue": Queue.MAIL, "kind": "x", "recipient": "asha@example.org", "booking_id": 1, **fields}
    with transaction.atomic():
        uuid = messages.emit(dedupe_key=f"x:{Message.objects.count()}", now=now, **given)
    return Message.objects.get(uuid=uuid)


def step_back(now: datetime, by: timedelta = TWO_HOURS) -> datetime:
    """The clock is set back, and the next sweep has come; the time it is now."""
    back = now - by
    with time_machine.travel(back, tick=False):
        timers.mend_turns()
    return back


def claimed(now: datetime) -> list[int]:
    return [row.pk for row in messages.claim(Queue.MAIL, now=now)]


def test_what_was_owed_at_once_before_the_step_is_due_at_once_after_it(now: datetime) -> None:
    row = owe(now)
    assert claimed(step_back(now)) == [row.pk]


def test_notices_keep_their_order_over_the_step(now: datetime) -> None:
    older = owe(now)
    back = step_back(now)
    assert holder.waits_for_older(owe(back), now=back)
    holder.settle(older, MessageState.DONE, now=back)


def test_a_planned_notice_keeps_its_instant(now: datetime) -> None:
    planned = owe(now - timedelta(days=1), not_before=now - timedelta(hours=1))
    back = step_back(now)
    assert claimed(planned.not_before - SECOND) == []
    assert claimed(planned.not_before) == [planned.pk]
    assert back < planned.not_before


def test_a_planned_notice_in_back_off_keeps_its_instant_too(now: datetime) -> None:
    planned = owe(now - timedelta(days=1), not_before=now - timedelta(hours=1))
    [row] = messages.claim(Queue.MAIL, now=now)
    holder.begin_attempt(row, now=now)
    holder.back_off(row, "busy", now=now)
    step_back(now)
    assert claimed(planned.not_before - SECOND) == []
    assert claimed(planned.not_before) == [planned.pk]


def test_a_lease_alone_is_enough_to_look_for_turns(now: datetime) -> None:
    row = owe(now - 2 * TWO_HOURS)
    assert claimed(now) == [row.pk]
    back = step_back(now)
    assert claimed(back + attempts.LEASE) == [row.pk]


def test_a_step_that_is_shorter_than_a_hold_is_seen_too(now: datetime) -> None:
    row = owe(now)
    back = step_back(now, policy.UNDO_WINDOW / 2)
    assert Message.objects.get(pk=row.pk).not_before == back


def test_what_failed_under_the_old_time_has_its_turn_although_it_was_owed_long_before(now: datetime) -> None:
    owe(now - 2 * TWO_HOURS)
    [row] = messages.claim(Queue.MAIL, now=now)
    holder.begin_attempt(row, now=now)
    holder.back_off(row, "busy", now=now)
    assert claimed(step_back(now)) == [row.pk]


def test_what_a_decision_that_can_be_undone_holds_is_due_at_once_too(now: datetime) -> None:
    row = owe(now, not_before=now + policy.UNDO_WINDOW)
    assert claimed(step_back(now)) == [row.pk]


def test_a_lease_given_before_the_step_lasts_no_longer_than_a_lease_after_it(now: datetime) -> None:
    row = owe(now)
    assert claimed(now) == [row.pk]
    back = step_back(now)
    assert claimed(back + attempts.LEASE - SECOND) == []  # whoever holds it may be in the middle of it
    assert claimed(back + attempts.LEASE) == [row.pk]


def test_a_row_whose_worker_died_in_the_effect_returns_within_a_lease_too(now: datetime) -> None:
    owe(now)
    [row] = messages.claim(Queue.MAIL, now=now)
    holder.begin_attempt(row, now=now)
    assert claimed(step_back(now) + attempts.LEASE) == [row.pk]


def test_the_holder_of_a_lease_settles_over_the_step(now: datetime) -> None:
    owe(now)
    [row] = messages.claim(Queue.MAIL, now=now)
    assert holder.begin_attempt(row, now=now)
    back = step_back(now)
    assert holder.settle(row, MessageState.DONE, now=back)
    assert claimed(back + attempts.LEASE) == []


@pytest.mark.parametrize("times", range(1, attempts.MAX_ATTEMPTS))
def test_a_back_off_given_before_the_step_is_over_when_it_would_have_been_or_sooner(times: int, now: datetime) -> None:
    row = owe(now)
    Message.objects.filter(pk=row.pk).update(attempts=times - 1)
    [row] = messages.claim(Queue.MAIL, now=now)
    holder.begin_attempt(row, now=now)
    holder.back_off(row, "busy", now=now)
    turn = Message.objects.get().next_attempt_at - now
    step_back(now, by=timedelta(0))
    assert Message.objects.get().next_attempt_at == now + turn  # no step, no mending
    back = step_back(now)
    assert claimed(back + max(turn, attempts.LEASE)) == [row.pk]


def test_a_notice_that_waits_for_its_elder_looks_again_after_the_step(now: datetime) -> None:
    owe(now)
    [row] = messages.claim(Queue.MAIL, now=now)
    holder.postpone(row, until=now + SECOND)
    assert claimed(step_back(now)) == [row.pk]


@pytest.mark.parametrize("wait", [timedelta(minutes=1), timedelta(hours=6), attempts.SNOOZE_MOST])
def test_what_was_snoozed_sleeps_on_over_a_small_step_and_not_over_one_of_days(wait: timedelta, now: datetime) -> None:
    owe(now)
    [row] = messages.claim(Queue.MAIL, now=now)
    holder.begin_attempt(row, now=now)
    holder.snooze(row, until=now + wait, now=now)
    step_back(now, by=timedelta(0))
    assert Message.objects.get().next_attempt_at == now + wait
    back = step_back(now, by=attempts.SNOOZE_MOST - wait)
    assert Message.objects.get().next_attempt_at == now + wait
    assert claimed(now + wait - SECOND) == []
    back = step_back(back, by=timedelta(days=2))
    assert claimed(back) == [row.pk]


def test_a_dead_row_stays_dead_over_the_step(now: datetime) -> None:
    owe(now)
    [row] = messages.claim(Queue.MAIL, now=now)
    holder.give_up(row, "no such mailbox", now=now)
    assert claimed(step_back(now) + timedelta(days=1)) == []


def test_clocks_that_differ_by_seconds_cost_nobody_a_lease(now: datetime) -> None:
    ahead = now + timedelta(seconds=5)
    owe(ahead)
    [row] = messages.claim(Queue.MAIL, now=ahead)
    step_back(now, by=timedelta(0))
    assert claimed(now + messages.CLAIMED_FOR - SECOND) == []
    assert holder.begin_attempt(row, now=ahead)
