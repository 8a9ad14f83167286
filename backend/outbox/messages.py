"""The life of an outbox row: emit, claim, begin, settle, hand back, snooze, hold, give up, re-drive, redact."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Exists, F, Q, QuerySet
from django.db.models.functions import Least
from django.db.transaction import TransactionManagementError

from backend.core import batched_writes, compiled_writes, correlation
from backend.core import environment as env
from backend.core.compiled_queries import Ago, Given, compiled
from backend.core.encryption import EncryptedJSONField
from backend.core.personal_data import emptied
from backend.outbox.mailboxes import mailbox_of
from backend.outbox.models import GIVEN_UP, Message, MessageState, Part, PausedQueue, Queue

LEASE = timedelta(seconds=90)  # renewed before each effect; a mail's own time-outs sum to 80 s
CLAIMED_FOR = timedelta(seconds=30)  # a claimed row that waits behind others; who dies keeps them no longer than that
_LEASES = {Queue.PAYMENTS: timedelta(seconds=50)}  # the gateway's sum to less than half of it
_HAND_OVERS_MOST = {Queue.MAIL: 2}  # who gets it twice sees it; the gateway knows a repetition by its key
RETRY_AFTER = timedelta(minutes=1)  # how often one row tries whether the provider still refuses our account
PROVIDER = "provider"  # who pauses a queue whose account is refused
BATCH = 20  # rows a worker claims at once
MAX_ATTEMPTS = 8  # with the back-off below: given up after a bit more than an hour
BACK_OFF_FIRST = timedelta(seconds=4)  # most failures of a provider are over within seconds, and someone waits
BACK_OFF_FACTOR = 3  # 4 s, 12 s, 36 s, 2 min, 5 min, 16 min, 49 min: an outage of an hour is outlived
BACK_OFF_MOST = env.duration("BACK_OFF_MOST", "the longest wait between two attempts of an effect", default="1h")
JITTER = 0.25  # of the wait, either way: spreads the retries of rows that failed together
ANEW = "anew:"  # and the id of the row whose place this one takes: its dedupe key
A_DAY = timedelta(days=1)
SNOOZE_MOST = timedelta(days=1)  # the longest that an effect may ask to be left alone; a longer wait is a clock's fault


@dataclass(frozen=True)
class Snooze:
    """What an effect answers that is neither done nor failed: not yet, look again at `until`."""

    until: datetime


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
    message = Message(
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
        next_attempt_at=due,
        correlation_id=correlation.current(),
        created_at=now,
    )
    batched_writes.write(_insert, message)
    return message.uuid


def _insert(owed: list[Message]) -> None:
    compiled_writes.insert(owed, unless_exists="dedupe_key")


def is_within_limits(kinds: Collection[str], recipient: str, *, now: datetime, hourly: int, daily: int) -> bool:
    """Whether one more mail of `kinds` to the recipient's mailbox stays within the limits.

    One asker at a time until commit.
    """
    mailbox = mailbox_of(recipient)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [mailbox])
    sent = [at for (at,) in _sent(tuple(kinds), daily).rows(mailbox=mailbox, now=now)]
    return len(sent) < daily and sum(at > now - timedelta(hours=1) for at in sent) < hourly


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


def claim(queue: Queue, *, now: datetime, limit: int = BATCH, is_trial: bool = False) -> list[Message]:
    """Lease up to `limit` due rows of `queue`, oldest turn first, each under a new fence. None while it is paused.

    Where the first ones take longer than CLAIMED_FOR, another worker may take the rest: the fence says whose they are.
    """
    lease_ends_at = now + CLAIMED_FOR
    with transaction.atomic():
        due = (
            Message.objects.filter(queue=queue, state=MessageState.WAITING, next_attempt_at__lte=now)
            .filter(Q(lease_expires_at=None) | Q(lease_expires_at__lte=now))
            .exclude(Exists(PausedQueue.objects.filter(*[Q(retry_at=None)] * is_trial, queue=queue)))
            .order_by("next_attempt_at", "id")
        )
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True)
        rows = list(due[:limit])
        if not rows:
            return []
        ids = [row.pk for row in rows]
        Message.objects.filter(pk__in=ids).update(lease_expires_at=lease_ends_at, fence=F("fence") + 1)
    for row in rows:
        row.fence += 1
        row.lease_expires_at = lease_ends_at
    return rows


def _lease(queue: str) -> timedelta:
    return _LEASES.get(Queue(queue), LEASE)


def begin_attempt(message: Message, *, now: datetime) -> bool:
    """Count an attempt and renew the lease, before the effect. False: the row is no longer ours, or was given up.

    The attempt is counted first, so that an effect which kills its process is given up like any other. And its next
    turn comes after those of the rows claimed with it: else it would kill their worker again, lease after lease. From
    here on it may have left, whatever becomes of the process; `message.may_have_left` goes on saying what the attempts
    before this one did, which is what counts again once it turns out that this one surely did not.
    """
    if message.hand_overs >= _hand_overs_most(message):
        _settle(message, MessageState.UNKNOWN, now=now, error=message.last_error or "its worker died as it left")
        return False
    if message.attempts >= MAX_ATTEMPTS:
        _settle(message, MessageState.DEAD, now=now, error=message.last_error or "its worker died in every attempt")
        return False
    lease_ends_at = now + _lease(message.queue)
    held = _held(message).update(
        attempts=F("attempts") + 1,
        lease_expires_at=lease_ends_at,
        next_attempt_at=lease_ends_at,
        may_have_left=True,
        is_snoozed=False,
    )
    message.attempts += 1
    return held == 1


def hand_over(message: Message) -> bool:
    """Keep what it says, and that the outside may take it from here on. False: the lease was lost, so do not send it.

    Once an attempt may have left, every later one says the same.
    """
    kept = {"context": _sealed_context(message), "frozen_at": message.frozen_at, "hand_overs": F("hand_overs") + 1}
    if _held(message).update(**kept) == 0:
        return False
    message.hand_overs += 1
    message.is_handed_over = True
    return True


def _sealed_context(message: Message) -> str | None:
    field = Message._meta.get_field("context")
    assert isinstance(field, EncryptedJSONField)
    return field.sealed(message, message.context) if message.context else None


def waits_for_older(message: Message, *, now: datetime) -> bool:
    """Whether an older due notice of the same booking to the same recipient has not been settled yet.

    Of a notice about several bookings each counts, on either side. What has no recipient keeps no order: by telephone
    all that is true is told in one call, and work at the gateway asks what is so when its turn comes. A refund may pend
    for days there, and a page that cannot be closed for an hour.
    """
    if message.booking_id is None or not message.recipient:
        return False
    ours = {message.booking_id, *message.parts.values_list("booking_id", flat=True)}
    beside = list(Part.objects.filter(booking_id__in=ours, message__lt=message.pk).values_list("message", flat=True))
    return Message.objects.filter(
        Q(booking_id__in=ours) | Q(pk__in=beside),
        recipient=message.recipient,
        queue=message.queue,
        pk__lt=message.pk,
        state=MessageState.WAITING,
        not_before__lte=now,
    ).exists()


def settle(message: Message, state: MessageState, *, now: datetime, note: str = "") -> bool:
    """The effect is done, or no longer wanted. False: the lease was lost and another holder decides."""
    return _settle(message, state, now=now, error=note, has_surely_not_left=state is not MessageState.DONE)


def hand_back(messages: Iterable[Message]) -> None:
    """Return rows whose effect was not begun; any worker may take them at once."""
    for message in messages:
        _held(message).update(lease_expires_at=None)


def postpone(message: Message, *, until: datetime) -> None:
    """Return a row whose turn has not come; its effect was not begun."""
    _return_until(message, until)


def snooze(message: Message, *, until: datetime, now: datetime) -> None:
    """The effect looked, and it is too early: no failure, so the attempt that `begin` counted is taken back."""
    uncounted = {"attempts": message.attempts - 1, **_as_before(message)}
    _return_until(message, min(until, now + SNOOZE_MOST), is_snoozed=True, last_error="", **uncounted)


def back_off(
    message: Message, error: str, *, now: datetime, has_surely_not_left: bool = False, is_answered: bool = False
) -> None:
    """The attempt failed in a way that may pass: try again later, or give up after MAX_ATTEMPTS.

    What people get is repeated once after a silence: a third copy is worse than asking somebody. `is_answered`: it was
    no silence, the outside said that it failed.
    """
    if not (has_surely_not_left or is_answered) and message.hand_overs >= _hand_overs_most(message):
        _settle(message, MessageState.UNKNOWN, now=now, error=error)
        return
    if message.attempts >= MAX_ATTEMPTS:
        give_up(message, error, now=now, has_surely_not_left=has_surely_not_left)
        return
    jittered = _usual_wait(message.attempts) * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # guards nothing
    left = _as_before(message)
    if not has_surely_not_left:
        left = {"hand_overs": left["hand_overs"]} if is_answered else {}
    _return_until(message, now + jittered, last_error=error[:300], **left)


def hold(message: Message, error: str, *, now: datetime) -> None:
    """The provider refuses our account: no attempt is counted, and the queue waits with it until a trial succeeds."""
    pause = {"reason": error[:300], "retry_at": now + RETRY_AFTER}
    begun = {**pause, "paused_by": PROVIDER, "paused_at": now}
    if not PausedQueue.objects.filter(queue=message.queue, retry_at__isnull=False).update(**pause):
        PausedQueue.objects.get_or_create(queue=message.queue, defaults=begun)
    uncounted = {"attempts": message.attempts - 1, "last_error": error[:300], **_as_before(message)}
    _return_until(message, now + RETRY_AFTER, **uncounted)


def begins_trial(queue: Queue, *, now: datetime) -> bool:
    """Whether one row may show if the provider still refuses us; of two workers, one. A turn too far is a clock's."""
    is_over = Q(retry_at__lte=now) | Q(retry_at__gt=now + RETRY_AFTER)
    return PausedQueue.objects.filter(is_over, queue=queue).update(retry_at=now + RETRY_AFTER) == 1


def end_hold(queue: Queue) -> None:
    """The provider takes our work again; an operator's pause stays."""
    PausedQueue.objects.filter(queue=queue, retry_at__isnull=False).delete()


def give_up(message: Message, error: str, *, now: datetime, has_surely_not_left: bool = False) -> None:
    """The effect was refused for good."""
    _settle(message, MessageState.DEAD, now=now, error=error, has_surely_not_left=has_surely_not_left)


def redrive(message_id: int, *, now: datetime, due_at: datetime | None = None) -> bool:
    """Put a given-up row back to work with fresh attempts. One conditional UPDATE: of two who press, one gets True.

    It is owed from `due_at` on, so that nobody takes a later turn for one that a clock left behind.
    """
    due = due_at or now
    revived = Message.objects.filter(pk=message_id, state__in=GIVEN_UP, blanked_at=None).update(
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
    if not waiting.filter(leased | at_once | held | planned | put_off).exists():
        return 0
    mended = waiting.filter(leased).update(lease_expires_at=now + LEASE)
    waiting.filter(at_once).update(not_before=now)  # also after two steps
    waiting.filter(held).update(not_before=now)
    mended += waiting.filter(planned).update(next_attempt_at=F("not_before"))
    return mended + waiting.filter(_waits_too_long(now), not_before__lte=now).update(next_attempt_at=now)


def _waits_too_long(now: datetime) -> Q:
    """Longer than any wait that begins now."""
    too_far = Q(is_snoozed=True, next_attempt_at__gt=now + SNOOZE_MOST)
    for attempts in range(MAX_ATTEMPTS + 1):
        longest = max(LEASE, _usual_wait(attempts) * (1 + JITTER))
        too_far |= Q(is_snoozed=False, attempts=attempts, next_attempt_at__gt=now + longest)
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


def _held(message: Message) -> QuerySet[Message]:
    """The row, as long as it is still ours: waiting, and not claimed by anybody since."""
    return Message.objects.filter(pk=message.pk, fence=message.fence, state=MessageState.WAITING)


def _usual_wait(attempts: int) -> timedelta:
    """How long a row waits after that many attempts, but for the jitter."""
    return min(BACK_OFF_FIRST * float(BACK_OFF_FACTOR) ** (attempts - 1), BACK_OFF_MOST)


def _hand_overs_most(message: Message) -> int:
    return _HAND_OVERS_MOST.get(Queue(message.queue), MAX_ATTEMPTS)


def _as_before(message: Message) -> dict[str, object]:
    """What the attempts before this one did, which counts again once it turns out that this one surely did not."""
    hand_overs = message.hand_overs - message.is_handed_over
    return {"may_have_left": message.may_have_left, "hand_overs": hand_overs}


def _return_until(message: Message, until: datetime, **changes: object) -> None:
    _held(message).update(lease_expires_at=None, next_attempt_at=until, **changes)


def _settle(
    message: Message, state: MessageState, *, now: datetime, error: str, has_surely_not_left: bool = False
) -> bool:
    settled = _held(message).update(
        state=state,
        settled_at=now,
        lease_expires_at=None,
        last_error=error[:300],
        **(_as_before(message) if has_surely_not_left else {}),
    )
    return settled == 1
