"""One drain: claim due rows of a queue under a lease, perform each effect outside any transaction, settle it."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from celery import Task
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from kombu.exceptions import OperationalError

from backend.core import correlation, database_timeouts
from backend.core.errors import AccountTrouble, OutsideFailure, Permanent, Transient, was_surely_not_sent
from backend.ops import heartbeats
from backend.ops.models import AttemptResult, ProcessRole
from backend.outbox import messages
from backend.outbox.messages import Snooze
from backend.outbox.models import Message, MessageState, Queue
from workers import heartbeat
from workers.stopping import stopping

log = logging.getLogger(__name__)

Perform = Callable[[Message], MessageState | Snooze]

BUDGET_SECONDS = 15  # one drain's share of its soft limit; the slowest single mail takes 80 s on top, of 100 s
SETTLE_TRIES = 5  # waits of DATABASE_LOCK_TIMEOUT: longer than DATABASE_IDLE_TIMEOUT lets a frozen process hold a row
TURN = timedelta(seconds=1)  # how long a notice waits before it looks again whether its elder has left


def drain(queue: Queue, perform: Perform, *, helper: Task[[], None]) -> None:
    """Work until nothing is due, the budget is spent, or the worker is asked to stop; unbegun rows are handed back."""
    heartbeat.record(ProcessRole(queue))
    with stopping.deferred():
        began = time.monotonic()
        now = timezone.now()
        is_trial = messages.begins_trial(queue, now=now)
        rows = messages.claim(queue, now=now, limit=1 if is_trial else messages.BATCH, is_trial=is_trial)
        if len(rows) == messages.BATCH and not stopping.is_set():
            _wake(helper)
        with heartbeat.while_busy(ProcessRole(queue)), _counted(queue) as results:
            for index, row in enumerate(rows):
                if stopping.is_set() or time.monotonic() - began > BUDGET_SECONDS:
                    _hand_back(rows[index:])
                    return
                results.append(_attempt(row, perform, is_trial=is_trial))
                if results[-1] is AttemptResult.REFUSED:  # the rest of the batch need not ask
                    _hand_back(rows[index + 1 :])
                    return


@contextmanager
def _counted(queue: Queue) -> Iterator[list[AttemptResult | None]]:
    """Add up what became of a batch. A count that cannot be written is lost, and nothing else."""
    results: list[AttemptResult | None] = []
    try:
        yield results
    finally:
        try:
            heartbeats.count_attempts(queue, Counter(result for result in results if result is not None))
        except (DatabaseError, InterfaceError) as error:
            log.warning("attempts not counted: %s", type(error).__name__)


def _attempt(row: Message, perform: Perform, *, is_trial: bool) -> AttemptResult | None:
    """What became of it; None when it was not begun, or nobody could write it down."""
    result = None
    try:
        result = _one(row, perform, is_trial=is_trial)
    except DatabaseError as error:
        if not database_timeouts.is_timeout(error):
            raise
        log.warning("%s %s is held by another transaction; its lease brings it back", row.kind, row.uuid)
    heartbeat.record(ProcessRole(row.queue))
    return result


def _wake(helper: Task[[], None]) -> None:
    """Ask for a second pair of hands; without a broker the next second's wake-up has to do."""
    try:
        helper.apply_async()
    except OperationalError as error:
        log.warning("no helper: %s", error)


def _hand_back(rows: list[Message]) -> None:
    """Return them at once; while one is held by another transaction, the leases of the rest do it later."""
    try:
        messages.hand_back(rows)
    except DatabaseError as error:
        if not database_timeouts.is_timeout(error):
            raise
        log.warning("rows are held by another transaction; their leases bring them back")


def _one(row: Message, perform: Perform, *, is_trial: bool) -> AttemptResult | None:
    correlation.begin(row.correlation_id, task=f"workers.{row.queue}.drain", message=str(row.uuid), kind=row.kind)
    now = timezone.now()
    if messages.waits_for_older(row, now=now):
        messages.postpone(row, until=now + TURN)
        return None
    if not messages.begin_attempt(row, now=now):
        return None
    try:
        answer = perform(row)
    except AccountTrouble as error:
        if is_trial or row.last_error != str(error):
            log.error("the provider of %s refuses our account: %s", row.queue, error)
            messages.hold(row, str(error), now=timezone.now())
            return AttemptResult.REFUSED
        _failed(row, error)  # others went through since it met this last: it is about this row after all
    except Exception as error:  # noqa: BLE001  # outermost loop: a bug in one effect must not stop the queue
        _failed(row, error)
    else:
        _record(row, answer)
        if is_trial and answer == MessageState.DONE:
            messages.end_hold(Queue(row.queue))
        return AttemptResult.SNOOZED if isinstance(answer, Snooze) else AttemptResult(answer)
    return AttemptResult.FAILED


def _failed(row: Message, error: Exception) -> None:
    """Settle or try again, as the failure has it; a crash is worth another attempt."""
    now, has_not_left = timezone.now(), was_surely_not_sent(error)
    if isinstance(error, Permanent):
        log.error("%s %s given up: %s", row.kind, row.uuid, error)
        messages.give_up(row, str(error), now=now, has_surely_not_left=has_not_left)
        return
    text = str(error) if isinstance(error, Transient) else type(error).__name__
    if isinstance(error, Transient):
        log.warning("%s %s failed, attempt %d: %s", row.kind, row.uuid, row.attempts, error)
    elif database_timeouts.is_timeout(error):
        log.warning("%s %s waited too long for the database, attempt %d", row.kind, row.uuid, row.attempts)
    else:
        log.error("%s %s crashed, attempt %d", row.kind, row.uuid, row.attempts, exc_info=error)
    is_answered = isinstance(error, OutsideFailure) and error.says_it_failed
    messages.back_off(row, text, now=now, has_surely_not_left=has_not_left, is_answered=is_answered)


def _record(row: Message, answer: MessageState | Snooze) -> None:
    """What was performed and is not written is performed again, so this is worth more than one wait."""
    for tries_left in range(SETTLE_TRIES - 1, -1, -1):
        try:
            _write(row, answer)
            return
        except DatabaseError as error:
            if not (tries_left and database_timeouts.is_timeout(error)):
                raise


def _write(row: Message, answer: MessageState | Snooze) -> None:
    now = timezone.now()
    if isinstance(answer, Snooze):
        messages.snooze(row, until=answer.until, now=now)
        log.info("%s %s: not yet, again at %s", row.kind, row.uuid, answer.until.isoformat())
        return
    messages.settle(row, answer, now=now)
    log.info("%s %s: %s", row.kind, row.uuid, answer)
