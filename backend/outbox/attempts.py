"""What a worker does with the rows it holds: begin, hand over, settle, hand back, snooze, back off, give up.

Each of these is a change of one row. It is made by its function here and stored by `write`, together with others: as
long as the row has the fence of its claim, and nobody has settled it. So what became of one effect and the beginning of
the next are one statement.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.core.encryption import EncryptedJSONField
from backend.core.statements import Row
from backend.outbox import held_rows, patience
from backend.outbox.held_rows import Question
from backend.outbox.models import Message, MessageState, Queue
from backend.outbox.patience import MAX_ATTEMPTS

LEASE = timedelta(seconds=90)  # renewed before each effect; a mail's own time-outs sum to 80 s
# the gateway's sum to less than half of it; a call lasts 5 s
_LEASES = {Queue.PAYMENTS: timedelta(seconds=50), Queue.CALLS: timedelta(seconds=30)}
_HAND_OVERS_MOST = {Queue.MAIL: 2}  # who gets it twice sees it; the gateway knows a repetition by its key
RETRY_AFTER = timedelta(minutes=1)  # how often one row tries whether the provider still refuses our account
JITTER = 0.25  # of the wait, either way: spreads the retries of rows that failed together
SNOOZE_MOST = timedelta(days=1)  # the longest that an effect may ask to be left alone; a longer wait is a clock's fault


@dataclass(frozen=True)
class Snooze:
    """What an effect answers that is neither done nor failed: not yet, look again at `until`.

    `is_written`: the row says so already, with whatever else it was written with.
    """

    until: datetime
    is_written: bool = False


@dataclass(frozen=True)
class Change:
    """Of one row: the columns that get another value."""

    message: Message
    values: Mapping[str, object]


def write(changes: Sequence[Change]) -> set[int]:
    """Store them; the ids of the rows that were still held.

    Of several in one statement none waits for another transaction, so that no two of them can wait for each other: a
    row that is locked is none of those returned, and the caller writes it again by itself.
    """
    return write_and_ask(changes, None)[0]


def write_and_ask(changes: Sequence[Change], question: Question | None) -> tuple[set[int], list[Row]]:
    """The same, and what is found by the question as they are stored: it sees whatever the rows were locked for."""
    rows = [(change.message.pk, change.message.fence, change.values) for change in changes]
    return held_rows.write(rows, question)


def exhausted(message: Message, *, now: datetime) -> Change | None:
    """Its end, where there is no attempt left to begin."""
    if message.hand_overs >= _hand_overs_most(message):
        error = message.last_error or "its worker died as it left"
        return _settle(message, MessageState.UNKNOWN, now=now, error=error)
    if message.attempts >= patience.of(message.kind).attempts_most:
        error = message.last_error or "its worker died in every attempt"
        return _settle(message, MessageState.DEAD, now=now, error=error)
    return None


def begin(message: Message, *, now: datetime, hands_over: bool = False) -> Change:
    """Count an attempt and renew the lease, before the effect; also the hand-over of words that are known already.

    The attempt is counted first, so that an effect which kills its process is given up like any other. And its next
    turn comes after those of the rows claimed with it: else it would kill their worker again, lease after lease. From
    here on it may have left, whatever becomes of the process; `message.may_have_left` goes on saying what the attempts
    before this one did, which is what counts again once it turns out that this one surely did not.
    """
    lease_ends_at = now + _LEASES.get(Queue(message.queue), LEASE)
    message.attempts += 1
    message.is_begun, message.lease_expires_at = True, lease_ends_at
    counted = {"attempts": message.attempts, "lease_expires_at": lease_ends_at, "next_attempt_at": lease_ends_at}
    from_here_on = {"may_have_left": True, "is_snoozed": False}
    return Change(message, {**counted, **from_here_on, **(hand_over(message).values if hands_over else {})})


def hand_over(message: Message) -> Change:
    """Keep what it says, and that the outside may take it from here on. Once in an attempt.

    Once an attempt may have left, every later one says the same.
    """
    message.hand_overs += not message.is_handed_over
    message.is_handed_over = True
    kept = {"context": _sealed_context(message), "frozen_at": message.frozen_at, "handed_to": message.handed_to}
    return Change(message, {**kept, "hand_overs": message.hand_overs, "lease_expires_at": message.lease_expires_at})


def _sealed_context(message: Message) -> str | None:
    field = Message._meta.get_field("context")
    assert isinstance(field, EncryptedJSONField)
    return field.sealed(message, message.context) if message.context else None


def settle(message: Message, state: MessageState, *, now: datetime, note: str = "") -> Change:
    """The effect is done, or no longer wanted."""
    if state is not MessageState.DONE:
        return _settle(message, state, now=now, error=note, has_surely_not_left=True)
    done = _settle(message, state, now=now, error=note)
    return Change(message, {**done.values, "provider_message_id": message.provider_message_id})


def hand_back(messages: Iterable[Message]) -> list[Change]:
    """Return rows whose effect was not begun; any worker may take them at once."""
    return [Change(message, {"lease_expires_at": None}) for message in messages]


def postpone(message: Message, *, until: datetime) -> Change:
    """Return a row whose turn has not come; its effect was not begun."""
    return _return_until(message, until)


def snooze(message: Message, *, until: datetime, now: datetime) -> Change:
    """The effect looked, and it is too early: no failure, so the attempt that `begin` counted is taken back."""
    return _return_until(message, min(until, now + SNOOZE_MOST), is_snoozed=True, last_error="", **_uncounted(message))


def back_off(
    message: Message, error: str, *, now: datetime, has_surely_not_left: bool = False, is_answered: bool = False
) -> Change:
    """The attempt failed in a way that may pass: try again later, or give up after the last.

    What people get is repeated once after a silence: a third copy is worse than asking somebody. `is_answered`: it was
    no silence, the outside said that it failed.
    """
    if not (has_surely_not_left or is_answered) and message.hand_overs >= _hand_overs_most(message):
        return _settle(message, MessageState.UNKNOWN, now=now, error=error)
    usual = patience.of(message.kind)
    if message.attempts >= usual.attempts_most:
        return give_up(message, error, now=now, has_surely_not_left=has_surely_not_left)
    jittered = usual.wait(message.attempts) * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # guards nothing
    left = _as_before(message)
    if not has_surely_not_left:
        left = {"hand_overs": left["hand_overs"]} if is_answered else {}
    return _return_until(message, now + jittered, last_error=error[:300], **left)


def hold(message: Message, error: str, *, now: datetime) -> Change:
    """The provider refuses our account: no attempt is counted. The queue waits with it (`messages.hold_queue`)."""
    return _return_until(message, now + RETRY_AFTER, last_error=error[:300], **_uncounted(message))


def give_up(message: Message, error: str, *, now: datetime, has_surely_not_left: bool = False) -> Change:
    """The effect was refused for good."""
    return _settle(message, MessageState.DEAD, now=now, error=error, has_surely_not_left=has_surely_not_left)


def _hand_overs_most(message: Message) -> int:
    return _HAND_OVERS_MOST.get(Queue(message.queue), MAX_ATTEMPTS)


def _as_before(message: Message) -> dict[str, object]:
    """What the attempts before this one did, which counts again once it turns out that this one surely did not."""
    hand_overs = message.hand_overs - message.is_handed_over
    return {"may_have_left": message.may_have_left, "hand_overs": hand_overs}


def _uncounted(message: Message) -> dict[str, object]:
    return {"attempts": message.attempts - message.is_begun, **_as_before(message)}


def _return_until(message: Message, until: datetime, **changes: object) -> Change:
    return Change(message, {"lease_expires_at": None, "next_attempt_at": until, **changes})


def _settle(
    message: Message, state: MessageState, *, now: datetime, error: str, has_surely_not_left: bool = False
) -> Change:
    return Change(
        message,
        {
            "state": state,
            "settled_at": now,
            "lease_expires_at": None,
            "last_error": error[:300],
            **(_as_before(message) if has_surely_not_left else {}),
        },
    )
