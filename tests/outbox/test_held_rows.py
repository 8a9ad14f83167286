"""The statement that writes several held rows: as the ORM would, and only what is still held."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import psycopg
import pytest
from django.db import connection, transaction
from django.forms import model_to_dict

from backend.core import statements
from backend.core.statements import Statement
from backend.outbox import attempts, messages
from backend.outbox.attempts import Change
from backend.outbox.models import Message, MessageState, Queue
from tests.support.server import database_url

CHANGES: dict[str, Callable[[Message, datetime], Change]] = {
    "begin": lambda row, now: attempts.begin(row, now=now),
    "begin with words": lambda row, now: attempts.begin(row, now=now, hands_over=True),
    "hand over": lambda row, _now: attempts.hand_over(row),
    "done": lambda row, now: attempts.settle(row, MessageState.DONE, now=now),
    "obsolete": lambda row, now: attempts.settle(row, MessageState.OBSOLETE, now=now, note="overtaken"),
    "hand back": lambda row, _now: attempts.hand_back([row])[0],
    "postpone": lambda row, now: attempts.postpone(row, until=now + timedelta(seconds=1)),
    "snooze": lambda row, now: attempts.snooze(row, until=now + timedelta(hours=1), now=now),
    "back off": lambda row, now: attempts.back_off(row, "busy", now=now),
    "hold": lambda row, now: attempts.hold(row, "SMTP 535", now=now),
    "give up": lambda row, now: attempts.give_up(row, "no such mailbox", now=now, has_surely_not_left=True),
}


def owe(now: datetime, count: int) -> list[Message]:
    """That many claimed rows, each of which failed before."""
    with transaction.atomic():
        for number in range(count):
            messages.emit(queue=Queue.MAIL, kind="x", dedupe_key=f"x:{number}", now=now, recipient="asha@example.org")
    Message.objects.update(attempts=2, hand_overs=1, may_have_left=True, last_error="time-out")
    return messages.claim(Queue.MAIL, now=now)


def stored(row: Message) -> dict[str, object]:
    return model_to_dict(Message.objects.get(pk=row.pk), exclude=["id", "uuid", "dedupe_key", "context"])


@pytest.mark.django_db
@pytest.mark.parametrize("name", CHANGES)
def test_a_row_is_written_as_the_orm_would(name: str, now: datetime, django_assert_num_queries) -> None:
    ours, twin = owe(now, 2)
    ours.context, ours.frozen_at = {"practice": "MindSettler"}, now
    change = CHANGES[name](ours, now)
    with django_assert_num_queries(1):
        assert attempts.write([change]) == {ours.pk}
    Message.objects.filter(pk=twin.pk).update(**{key: change.values[key] for key in change.values if key != "context"})
    assert stored(ours) == stored(twin)
    kept = Message.objects.get(pk=ours.pk).context
    assert kept == (ours.context if change.values.get("context") else None)


@pytest.mark.django_db
def test_of_several_those_are_written_that_are_still_held(now: datetime, django_assert_num_queries) -> None:
    held, claimed_by_another, settled = owe(now, 3)
    Message.objects.filter(pk=claimed_by_another.pk).update(fence=claimed_by_another.fence + 1)
    Message.objects.filter(pk=settled.pk).update(state=MessageState.OBSOLETE)
    with django_assert_num_queries(1):
        written = attempts.write([attempts.settle(row, MessageState.DONE, now=now) for row in (settled, held)])
        assert written == {held.pk}
    assert attempts.write([attempts.begin(claimed_by_another, now=now)]) == set()
    states = {row.pk: (row.state, row.attempts) for row in Message.objects.all()}
    assert states == {
        held.pk: (MessageState.DONE, 2),
        claimed_by_another.pk: (MessageState.WAITING, 2),
        settled.pk: (MessageState.OBSOLETE, 2),
    }


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_of_several_none_waits_for_one_that_somebody_locks(now: datetime) -> None:
    free, locked = owe(now, 2)
    with psycopg.connect(database_url()) as other:
        other.execute("SELECT 1 FROM outbox_message WHERE id = %s FOR UPDATE", [locked.pk])
        changes = [attempts.settle(free, MessageState.DONE, now=now), attempts.begin(locked, now=now)]
        assert attempts.write(changes) == {free.pk}
        other.rollback()
    assert attempts.write([changes[1]]) == {locked.pk}


@pytest.mark.django_db
def test_a_question_is_asked_after_the_rows_are_stored(now: datetime, django_assert_num_queries) -> None:
    first, second = owe(now, 2)
    question = Statement("SELECT attempts FROM outbox_message WHERE id = %s", [second.pk], statements.rows)
    changes = [attempts.settle(first, MessageState.DONE, now=now), attempts.begin(second, now=now)]
    with django_assert_num_queries(1 if connection.vendor == "postgresql" else 2):
        assert attempts.write_and_ask(changes, question) == ({first.pk, second.pk}, [(3,)])


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_a_question_sees_what_the_row_was_locked_for(now: datetime) -> None:
    row, beside = owe(now, 2)
    question = Statement("SELECT last_error FROM outbox_message WHERE id = %s", [beside.pk], statements.rows)
    with psycopg.connect(database_url()) as other:
        other.execute("SELECT 1 FROM outbox_message WHERE id = %s FOR UPDATE", [row.pk])
        other.execute("UPDATE outbox_message SET last_error = 'decided' WHERE id = %s", [beside.pk])
        commits = threading.Timer(0.3, other.commit)
        commits.start()
        assert attempts.write_and_ask([attempts.begin(row, now=now)], question) == ({row.pk}, [("decided",)])
        commits.join()
