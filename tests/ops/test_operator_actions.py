"""What operators do: once each, whoever presses, and written down."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection

from backend.bookings import retention
from backend.bookings.retention import Kind
from backend.ops import operator_actions, snapshot
from backend.ops.models import Act, Timer
from backend.outbox import messages
from backend.outbox.models import Message, MessageState, PausedQueue, Queue
from tests.support import holder, system_health

pytestmark = pytest.mark.django_db
ASHA, RAVI = "staff:asha", "staff:ravi"


def again(row: Message) -> Message:
    return Message.objects.get(pk=row.pk)


def recorded() -> list[tuple[str, str, str, str]]:
    """Who did what to what, and why; oldest first."""
    return [(act.actor, act.verb, act.subject, act.reason) for act in Act.objects.order_by("pk")]


def test_a_dead_letter_is_redriven_once_and_recorded(now: datetime) -> None:
    row = system_health.dead_letter(now=now)
    assert operator_actions.redrive(row.pk, actor=ASHA, now=now)
    assert not operator_actions.redrive(row.pk, actor=RAVI, now=now)
    assert (again(row).state, again(row).attempts) == (MessageState.WAITING, 0)
    assert recorded() == [(ASHA, "redrive", "booking_approved", "")]
    assert Act.objects.get().message_id == row.pk


def test_a_blanked_letter_has_nobody_to_go_to(now: datetime) -> None:
    row = system_health.dead_letter(now=now)
    messages.redact(retention.due(Kind.MAILS, now), now=now)
    assert not operator_actions.redrive(row.pk, actor=ASHA, now=now)
    assert operator_actions.discard(row.pk, reason="too old", actor=ASHA, now=now)


def test_many_are_redriven_at_a_rate(now: datetime) -> None:
    rows = [system_health.dead_letter(str(number), now=now) for number in range(4)]
    operator_actions.redrive(rows[1].pk, actor=RAVI, now=now)
    ids = [row.pk for row in rows]
    assert operator_actions.redrive_many(ids, per_minute=30, actor=ASHA, now=now) == 3
    turns = [again(row).next_attempt_at for row in (rows[0], rows[2], rows[3])]
    assert turns == [now, now + timedelta(seconds=2), now + timedelta(seconds=4)]
    assert [row.pk for row in messages.claim(Queue.MAIL, now=now)] == [rows[0].pk, rows[1].pk]


def test_the_mending_of_clocks_keeps_the_rate_of_a_redrive(now: datetime) -> None:
    """Else every letter would go at once, ten seconds after somebody asked for one a minute."""
    rows = [system_health.dead_letter(str(number), now=now) for number in range(3)]
    operator_actions.redrive_many([row.pk for row in rows], per_minute=1, actor=ASHA, now=now)
    assert messages.mend_turns(now=now + timedelta(seconds=10)) == 0
    turns = [again(row).next_attempt_at for row in rows]
    assert turns == [now, now + timedelta(minutes=1), now + timedelta(minutes=2)]


def test_a_redriven_letter_is_owed_since_then(now: datetime) -> None:
    row = system_health.dead_letter(now=now - timedelta(days=3))
    operator_actions.redrive(row.pk, actor=ASHA, now=now)
    health = snapshot.take_snapshot(now=now).health
    assert health
    assert health.outbox[0].oldest_owed_age == timedelta(0)


def test_a_discarded_letter_stays_with_its_error_and_is_not_sent(now: datetime) -> None:
    row = system_health.dead_letter(now=now)
    assert operator_actions.discard(row.pk, reason="the visitor called", actor=ASHA, now=now)
    assert not operator_actions.discard(row.pk, reason="again", actor=RAVI, now=now)
    assert not operator_actions.redrive(row.pk, actor=RAVI, now=now)
    assert (again(row).state, again(row).last_error) == (MessageState.DISCARDED, "SMTP 550")
    assert messages.claim(Queue.MAIL, now=now + timedelta(days=1)) == []
    assert recorded() == [(ASHA, "discard", "booking_approved", "the visitor called")]


def test_what_is_not_dead_is_neither_redriven_nor_discarded(now: datetime) -> None:
    row = system_health.due_message(now=now)
    assert not operator_actions.redrive(row.pk, actor=ASHA, now=now)
    assert not operator_actions.discard(row.pk, reason="x", actor=ASHA, now=now)
    assert recorded() == []


def test_dead_letters_are_found_by_queue_kind_and_error(now: datetime) -> None:
    mail = system_health.dead_letter("1", now=now)
    work = system_health.dead_letter("2", now=now, queue=Queue.PAYMENTS, kind="make_refund", error="HTTP 400")
    system_health.due_message("3", now=now)
    assert list(operator_actions.dead_letters()) == [mail, work]
    assert list(operator_actions.dead_letters(queue="payments")) == [work]
    assert list(operator_actions.dead_letters(kind="booking_approved")) == [mail]
    assert list(operator_actions.dead_letters(reason="http")) == [work]


def test_a_released_row_is_free_at_once_and_its_holder_settles_nothing(now: datetime) -> None:
    row = system_health.due_message(now=now)
    [held] = messages.claim(Queue.MAIL, now=now)
    assert list(operator_actions.leased(now=now)) == [row]
    assert operator_actions.release_lease(row.pk, actor=ASHA, now=now)
    assert not operator_actions.release_lease(row.pk, actor=RAVI, now=now)
    assert not holder.settle(held, MessageState.DONE, now=now)
    assert [found.pk for found in messages.claim(Queue.MAIL, now=now)] == [row.pk]
    assert recorded() == [(ASHA, "release", "booking_approved", "")]


def test_a_queue_is_paused_and_resumed_once(now: datetime) -> None:
    assert operator_actions.pause(Queue.MAIL, reason="provider", actor=ASHA, now=now)
    assert not operator_actions.pause(Queue.MAIL, reason="me too", actor=RAVI, now=now + timedelta(seconds=1))
    assert (PausedQueue.objects.get().paused_by, PausedQueue.objects.get().reason) == (ASHA, "provider")
    assert operator_actions.resume(Queue.MAIL, actor=RAVI, now=now)
    assert not operator_actions.resume(Queue.MAIL, actor=ASHA, now=now)
    assert recorded() == [(ASHA, "pause", "mail", "provider"), (RAVI, "resume", "mail", "")]


def test_a_timer_is_asked_for_once_until_it_is_taken(now: datetime) -> None:
    assert operator_actions.run_timer("lapse_drafts", actor=ASHA, now=now)
    assert not operator_actions.run_timer("lapse_drafts", actor=RAVI, now=now)
    assert Timer.objects.get().asked_by == ASHA
    assert recorded() == [(ASHA, "run_timer", "lapse_drafts", "")]


@pytest.mark.django_db(transaction=True)
def test_of_many_who_press_at_once_one_redrives_or_discards(now: datetime) -> None:
    row = system_health.dead_letter(now=now)
    together = Barrier(8)

    def press(number: int) -> bool:
        try:
            together.wait()
            if number % 2:
                return operator_actions.discard(row.pk, reason="x", actor=f"staff:{number}", now=now)
            return operator_actions.redrive(row.pk, actor=f"staff:{number}", now=now)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as many:
        pressed = list(many.map(press, range(8)))
    assert sum(pressed) == 1
    assert Act.objects.count() == 1
