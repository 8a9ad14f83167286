"""A look for due messages begins at the oldest that waits: nothing is missed, and nothing settled is passed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from backend.ops import health
from backend.outbox import messages, turns
from backend.outbox.models import Message, MessageState, Queue
from tests.bench.plans import Plans
from tests.bench.rows.snapshot import snapshot
from tests.support import holder

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
MARGIN, MINUTE = timedelta(seconds=15), timedelta(minutes=1)  # what is promised, and not what `turns` says
SETTLED = 3000
MOST = 50  # buffers; all versions of the settled ones lie on 236 pages


def owe(turn: datetime, *, queue: Queue = Queue.MAIL) -> Message:
    """As it stands once its transaction has committed, however long that took."""
    with transaction.atomic():
        uuid = messages.emit(queue=queue, kind="x", dedupe_key=f"x:{Message.objects.count()}", now=turn)
    return Message.objects.get(uuid=uuid)


def claimed(now: datetime, queue: Queue = Queue.MAIL) -> list[int]:
    return [row.pk for row in messages.claim(queue, now=now)]


def test_it_begins_at_the_oldest_of_its_queue(now: datetime) -> None:
    owe(now - HOUR)
    owe(now)
    owe(now - 2 * HOUR, queue=Queue.CALLS)
    assert turns.beginning(Queue.MAIL, now=now) == now - HOUR
    assert turns.beginning(Queue.CALLS, now=now) == now - 2 * HOUR


def test_where_nothing_is_due_it_begins_a_little_before_now(now: datetime) -> None:
    owe(now + HOUR)
    assert turns.beginning(Queue.MAIL, now=now) == now - MARGIN


def test_a_process_that_has_just_begun_finds_the_oldest(now: datetime) -> None:
    row = owe(now - timedelta(days=400))
    assert claimed(now) == [row.pk]


def test_what_another_worker_holds_counts_until_it_is_settled(now: datetime) -> None:
    row = owe(now - HOUR)
    [held] = messages.claim(Queue.MAIL, now=now)
    turns.forget()  # as seen by the other
    assert claimed(now) == []
    for passed in (10 * SECOND, 20 * SECOND):
        assert turns.beginning(Queue.MAIL, now=now + passed) == row.next_attempt_at
    assert held.lease_expires_at is not None
    assert claimed(held.lease_expires_at) == [row.pk]  # its worker died


def test_what_commits_within_the_margin_is_claimed_at_once(now: datetime) -> None:
    assert claimed(now) == []
    late = owe(now - MARGIN)
    assert claimed(now) == [late.pk]


def test_what_commits_later_still_is_claimed_within_a_minute_and_seen_by_health_at_once(now: datetime) -> None:
    assert claimed(now) == []
    late = owe(now - MARGIN - SECOND)
    for passed in (timedelta(0), turns.LOOK_EVERY, MINUTE - SECOND):
        assert claimed(now + passed) == []
        [mail] = [queue for queue in health.read_health(now=now + passed).outbox if queue.name == Queue.MAIL]
        assert (mail.ready, mail.oldest_ready_age) == (1, now + passed - late.next_attempt_at)
    assert claimed(now + MINUTE) == [late.pk]


def test_retries_and_what_is_driven_again_are_claimed_in_their_turn(now: datetime) -> None:
    dead, failed = owe(now), owe(now)
    by_id = {row.pk: row for row in messages.claim(Queue.MAIL, now=now)}
    holder.give_up(by_id[dead.pk], "no", now=now)
    holder.back_off(by_id[failed.pk], "not now", now=now)
    later = now + HOUR
    assert claimed(later) == [failed.pk]
    assert messages.redrive(dead.pk, now=later)
    assert claimed(later) == [dead.pk]


@pytest.mark.parametrize("step", [5 * SECOND, MARGIN + SECOND, 2 * HOUR])
def test_a_clock_that_is_set_back_hides_nothing(step: timedelta, now: datetime) -> None:
    for passed in (30 * SECOND, timedelta(0)):  # so that one step ends between the look at all and the last one
        assert claimed(now - passed) == []
    row = owe(now - step)
    assert claimed(now - step) == [row.pk]


def test_what_was_due_before_it_was_owed_has_its_turn_from_then_on(now: datetime) -> None:
    assert claimed(now) == []
    with transaction.atomic():
        messages.emit(queue=Queue.MAIL, kind="x", dedupe_key="x", now=now, not_before=now - HOUR)
    assert claimed(now) == [Message.objects.get().pk]


def test_it_is_asked_for_every_ten_seconds(now: datetime, django_assert_num_queries) -> None:
    with django_assert_num_queries(1):
        turns.beginning(Queue.MAIL, now=now)
        turns.beginning(Queue.MAIL, now=now + turns.LOOK_EVERY - SECOND)
    with django_assert_num_queries(1):
        turns.beginning(Queue.MAIL, now=now + turns.LOOK_EVERY)


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_beside_a_dump_no_claim_passes_what_was_settled_meanwhile() -> None:
    now = timezone.now()
    with snapshot():
        settle_many(now - timedelta(minutes=1))
        turns.beginning(Queue.MAIL, now=now)
        owe(now)
        seen = Plans()
        for work, at in ("a claim", now), ("a claim that looks", now + turns.LOOK_EVERY):
            with seen.of(work), undone():
                assert len(claimed(at)) == 1
    assert {plan.work for plan in seen.found} == {"a claim", "a claim that looks"}
    assert [str(plan) for plan in seen.found if plan.buffers > MOST] == []


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # as in a table that is large
        yield
        transaction.set_rollback(True)


def settle_many(turn: datetime) -> None:
    """Owed, claimed, begun and done."""
    given = {"queue": Queue.MAIL, "kind": "x", "not_before": turn, "next_attempt_at": turn, "created_at": turn}
    Message.objects.bulk_create(Message(dedupe_key=f"settled:{number}", **given) for number in range(SETTLED))
    rows = Message.objects.all()
    rows.update(lease_expires_at=turn, fence=F("fence") + 1)
    rows.update(attempts=1, next_attempt_at=turn + 10 * SECOND)
    rows.update(state=MessageState.DONE, settled_at=turn, lease_expires_at=None)
