"""What beat's look finds: a queue that owes something which has just become due, and for how long it says so."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import transaction

from backend.outbox import attempts, fresh_work, messages
from backend.outbox.models import Message, MessageState, Queue
from config import schedule
from workers import early, hearing
from workers.early import Look

pytestmark = pytest.mark.django_db
A_MOMENT = timedelta(milliseconds=100)


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Look:
    """One for which it is always time."""
    monkeypatch.setattr(early, "LOOK_EVERY", 0.0)
    return Look()


def owe(now: datetime, queue: Queue = Queue.MAIL, *, key: str = "k", due: timedelta = timedelta()) -> None:
    with transaction.atomic():
        messages.emit(queue=queue, kind="x", dedupe_key=key, now=now, not_before=now + due)


@pytest.mark.parametrize("queue", Queue)
def test_something_new_is_found_once(queue: Queue, look: Look, now: datetime) -> None:
    assert look.queues(now=now) == []
    owe(now, queue)
    assert look.queues(now=now + A_MOMENT) == [queue]
    assert look.queues(now=now + 2 * A_MOMENT) == []


def test_what_goes_on_waiting_is_found_again_a_second_later(
    look: Look, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    owe(now)
    assert look.queues(now=now) == [Queue.MAIL]
    monkeypatch.setattr(early, "AGAIN_AFTER", 0.0)  # that second is of the monotonic clock
    assert look.queues(now=now + A_MOMENT) == [Queue.MAIL]


def test_the_next_one_is_found_at_once_when_the_first_was_taken(look: Look, now: datetime) -> None:
    owe(now)
    assert look.queues(now=now) == [Queue.MAIL]
    [row] = messages.claim(Queue.MAIL, now=now)
    assert look.queues(now=now + A_MOMENT) == []
    attempts.write([attempts.settle(row, MessageState.DONE, now=now)])
    owe(now + A_MOMENT, key="another")
    assert look.queues(now=now + 2 * A_MOMENT) == [Queue.MAIL]


def test_what_a_worker_holds_is_found_when_its_lease_is_over(look: Look, now: datetime) -> None:
    owe(now)
    [row] = messages.claim(Queue.MAIL, now=now)
    attempts.write([attempts.begin(row, now=now)])
    assert look.queues(now=now + attempts.LEASE - A_MOMENT) == []
    assert look.queues(now=now + attempts.LEASE) == [Queue.MAIL]


def test_what_was_planned_or_is_in_back_off_is_found_at_its_turn(look: Look, now: datetime) -> None:
    owe(now, due=timedelta(minutes=5))
    assert look.queues(now=now + timedelta(minutes=5) - A_MOMENT) == []
    assert look.queues(now=now + timedelta(minutes=5)) == [Queue.MAIL]


def test_what_waits_for_long_is_left_to_the_table(look: Look, now: datetime) -> None:
    owe(now)
    assert look.queues(now=now + fresh_work.FRESH) == []
    owe(now + fresh_work.FRESH, key="another")
    assert look.queues(now=now + fresh_work.FRESH) == [Queue.MAIL]


def test_what_is_settled_wakes_nobody(look: Look, now: datetime) -> None:
    owe(now)
    Message.objects.update(state=MessageState.SUPPRESSED)
    assert look.queues(now=now) == []


def test_it_looks_ten_times_a_second_at_most(now: datetime) -> None:
    look = Look()
    look.queues(now=now)
    owe(now)
    assert look.queues(now=now) == []
    assert 0 < look.pause() <= early.LOOK_EVERY


def test_a_look_is_one_statement(look: Look, now: datetime, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        look.queues(now=now)


def test_the_spans_fit_each_other() -> None:
    """What is fresh is looked for until the table's next turn, and a worker that hears beat alone is never quiet."""
    assert schedule.DRAIN_EVERY < fresh_work.FRESH
    assert schedule.DRAIN_EVERY.total_seconds() < hearing.QUIET_AFTER
