"""The life of an outbox row but for what its holder does with it: emit, claim, re-drive, pause, redact."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Exists, F, Q, QuerySet
from django.db.models.functions import Least
from django.db.transaction import TransactionManagementError

from backend.core import batched_writes, compiled_writes, correlation
from backend.core.compiled_queries import Ago, Given, compiled
from backend.core.personal_data import emptied
from backend.core.statements import Row, Statement, run
from backend.outbox import patience, turns
from backend.outbox.attempts import JITTER, LEASE, RETRY_AFTER, SNOOZE_MOST
from backend.outbox.mailboxes import mailbox_of
from backend.outbox.models import GIVEN_UP, Message, MessageState, PausedQueue, Queue

CLAIMED_FOR = timedelta(seconds=30)  # a claimed row that waits behind others; who dies keeps them no longer than that
PROVIDER = "provider"  # who pauses a queue whose account is refused
BATCHES = {Queue.MAIL: 50, Queue.PAYMENTS: 20, Queue.CALLS: 20}  # rows a worker claims at once; others take seconds
ANEW = "anew:"  # and the id of the row whose place this one takes: its dedupe key
A_DAY = timedelta(days=1)


def emit(
    *,
    queue: Queue,
    kind: str,
    dedupe_key: str,
    now: datetime,
    not_before: datetime | None = None,
    recipient: str = "",
    booking_id: int | None = None,
    subject_id: int | None = None,
    ledger_sequence: int | None = None,
    suppressed: bool = False,
) -> UUID:
    """Owe an effect, in the caller's transaction. A second row of the same `dedupe_key` is not written."""
    if not transaction.get_connection().in_atomic_block:
        raise TransactionManagementError("an effect is owed by the transaction that makes it true")
    due = not_before or now
    message = compiled_writes.new(
        Message,
        uuid=uuid4(),
        queue=queue,
        kind=kind,
        dedupe_key=dedupe_key,
        booking_id=booking_id,
        subject_id=subject_id,
        ledger_sequence=ledger_sequence,
        recipient=recipient,
        mailbox=mailbox_of(recipient),
        state=MessageState.SUPPRESSED if suppressed else MessageState.WAITING,
        settled_at=now if suppressed else None,
        not_before=due,
        next_attempt_at=max(due, now),  # what was due before it was owed has its turn from then on
        last_error="",
        correlation_id=correlation.current(),
        created_at=now,
    )
    batched_writes.write(_insert, message)
    return message.uuid


def _insert(owed: list[Message]) -> list[Statement[bool]]:
    return [compiled_writes.inserting(owed, unless_exists="dedupe_key")]


def is_within_limits(kinds: Collection[str], recipient: str, *, now: datetime, hourly: int, daily: int) -> bool:
    """Whether one more mail of `kinds` to the recipient's mailbox stays within the limits.

    One asker at a time until commit.
    """
    _, is_within = run(*limit(kinds, recipient, now=now, hourly=hourly, daily=daily))
    return bool(is_within)


def limit(
    kinds: Collection[str], recipient: str, *, now: datetime, hourly: int, daily: int
) -> tuple[Statement[None], Statement[bool]]:
    """The same, to be sent with others: who comes next waits from the first on, and the second one says it."""
    mailbox = mailbox_of(recipient)

    def is_within(sent: list[Row]) -> bool:
        return len(sent) < daily and sum(at > now - timedelta(hours=1) for (at,) in sent) < hourly

    return _lock_of(mailbox), _sent(tuple(kinds), daily).statement(mailbox=mailbox, now=now).then(is_within)


def _lock_of(mailbox: str) -> Statement[None]:
    """Until commit; SQLite has one writer, and needs none."""
    if connection.vendor != "postgresql":
        return Statement("SELECT NULL", None, lambda _: None)
    return Statement("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [mailbox], lambda _: None)


@cache
def _sent(kinds: tuple[str, ...], most: int) -> compiled:
    return compiled(
        lambda: (
            Message.objects.filter(mailbox=Given("mailbox"), kind__in=kinds, created_at__gt=Ago(lambda: A_DAY))
            .exclude(state=MessageState.SUPPRESSED)
            .exclude(dedupe_key__startswith=ANEW)
            .values_list("created_at")[:most]
        )
    )


def claim(queue: Queue, *, now: datetime, limit: int | None = None, is_trial: bool = False) -> list[Message]:
    """Lease a batch of due rows of `queue`, or `limit` of them: oldest turn first, each under a new fence.

    None while it is paused. Where the first ones take longer than CLAIMED_FOR, another worker may take the rest:
    the fence says whose they are.
    """
    lease_ends_at, since = now + CLAIMED_FOR, turns.beginning(queue, now=now)
    with transaction.atomic():
        due = (
            Message.objects.filter(queue=queue, state=MessageState.WAITING, next_attempt_at__range=(since, now))
            .filter(Q(lease_expires_at=None) | Q(lease_expires_at__lte=now))
            .exclude(Exists(PausedQueue.objects.filter(*[Q(retry_at=None)] * is_trial, queue=queue)))
            .order_by("next_attempt_at", "id")
        )
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True)
        rows = list(due[: limit or BATCHES[queue]])
        if not rows:
            return []
        ids = [row.pk for row in rows]
        Message.objects.filter(pk__in=ids).update(lease_expires_at=lease_ends_at, fence=F("fence") + 1)
    for row in rows:
        row.fence += 1
        row.was_left = row.lease_expires_at is not None
        row.lease_expires_at = lease_ends_at
    return rows


def hold_queue(queue: Queue, error: str, *, now: datetime) -> None:
    """The provider refuses our account: the queue waits until a trial succeeds."""
    pause = {"reason": error[:300], "retry_at": now + RETRY_AFTER}
    begun = {**pause, "paused_by": PROVIDER, "paused_at": now}
    if not PausedQueue.objects.filter(queue=queue, retry_at__isnull=False).update(**pause):
        PausedQueue.objects.get_or_create(queue=queue, defaults=begun)


def begins_trial(queue: Queue, *, now: datetime) -> bool:
    """Whether one row may show if the provider still refuses us; of two workers, one. A turn too far is a clock's."""
    is_over = Q(retry_at__lte=now) | Q(retry_at__gt=now + RETRY_AFTER)
    return PausedQueue.objects.filter(is_over, queue=queue).update(retry_at=now + RETRY_AFTER) == 1


def end_hold(queue: Queue) -> None:
    """The provider takes our work again; an operator's pause stays."""
    PausedQueue.objects.filter(queue=queue, retry_at__isnull=False).delete()


def redrive(
    message_id: int, *, now: datetime, due_at: datetime | None = None, settled: Collection[str] = GIVEN_UP
) -> bool:
    """Put a given-up row back to work with fresh attempts. One conditional UPDATE: of two who press, one gets True.

    It is owed from `due_at` on, so that nobody takes a later turn for one that a clock left behind.
    """
    due = due_at or now
    revived = Message.objects.filter(pk=message_id, state__in=settled, blanked_at=None).update(
        state=MessageState.WAITING,
        attempts=0,
        hand_overs=Least("hand_overs", 1),  # so that it can be handed over once more
        not_before=due,
        next_attempt_at=due,
        lease_expires_at=None,
        settled_at=None,
    )
    return revived == 1


def mend_turns(*, now: datetime, held_for: timedelta = timedelta(0)) -> int:
    """After a clock stepped back: no row waits for an instant further ahead than one that could be set now.

    What was owed at once, or after `held_for`, is due at once, what was planned at its own instant; who holds a lease
    keeps it for LEASE, so that nothing in hand is begun twice. What was snoozed sleeps on, unless no snooze could be
    that long. Without such a step one question finds nothing, unless what failed waits for long. Returns how many
    turns were mended.
    """
    waiting = Message.objects.filter(state=MessageState.WAITING)
    leased = Q(lease_expires_at__gt=now + LEASE)
    at_once = Q(not_before__gt=now, not_before__lte=F("created_at"))
    held = Q(not_before__gt=now + held_for, not_before__lte=F("created_at") + held_for)
    planned = Q(not_before__gt=now, next_attempt_at__gt=F("not_before"))
    put_off = Q(not_before__lte=now, next_attempt_at__gt=now + LEASE)
    wrong = waiting.filter(leased | at_once | held | planned | put_off)
    # in the order of their index: else a look for any of them may read the whole table
    if wrong.order_by("queue", "next_attempt_at").values_list("pk").first() is None:
        return 0
    mended = waiting.filter(leased).update(lease_expires_at=now + LEASE)
    waiting.filter(at_once).update(not_before=now)  # also after two steps
    waiting.filter(held).update(not_before=now)
    mended += waiting.filter(planned).update(next_attempt_at=F("not_before"))
    return mended + waiting.filter(_waits_too_long(now), not_before__lte=now).update(next_attempt_at=now)


def _waits_too_long(now: datetime) -> Q:
    """Longer than any wait that begins now."""
    too_far = Q(is_snoozed=True, next_attempt_at__gt=now + SNOOZE_MOST)
    for rows, usual in patience.EACH:
        for attempts in range(usual.attempts_most + 1):
            longest = max(LEASE, usual.wait(attempts) * (1 + JITTER))
            too_far |= rows & Q(is_snoozed=False, attempts=attempts, next_attempt_at__gt=now + longest)
    return too_far


def discard(message_id: int) -> bool:
    """A given-up row is not wanted any more; it stays, and keeps its last error. Of two who press, one gets True."""
    return Message.objects.filter(pk=message_id, state__in=GIVEN_UP).update(state=MessageState.DISCARDED) == 1


def release_lease(message_id: int, *, now: datetime) -> bool:
    """Take a lease away, so that any worker may claim the row at once; its holder can no longer settle it.

    A holder that still lives may perform the effect once more: mails repeat their bytes, the gateway its key.
    """
    leased = Message.objects.filter(pk=message_id, state=MessageState.WAITING, lease_expires_at__gt=now)
    return leased.update(lease_expires_at=None, fence=F("fence") + 1) == 1


def pause(queue: Queue, *, by: str, reason: str, now: datetime) -> bool:
    """Claim nothing more of `queue`; batches in hand are finished. False: it was paused already."""
    given = {"paused_by": by, "reason": reason, "paused_at": now, "retry_at": None}
    if PausedQueue.objects.filter(queue=queue, retry_at__isnull=False).update(**given):
        return True
    return PausedQueue.objects.get_or_create(queue=queue, defaults=given)[1]


def resume(queue: Queue) -> bool:
    """Claim again. False: it was not paused."""
    return PausedQueue.objects.filter(queue=queue).delete()[0] == 1


def redact(old: QuerySet[Message], *, now: datetime, limit: int = 500) -> int:
    """Take address and text off a batch of old settled rows; the rows stay. Returns how many."""
    ids = list(old.values_list("pk", flat=True)[:limit])
    return Message.objects.filter(pk__in=ids).update(**emptied(Message), blanked_at=now)
