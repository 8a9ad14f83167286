"""One drain: claim due rows of a queue under a lease, perform each effect outside any transaction, settle it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from celery import Task
from django.db import DatabaseError
from django.utils import timezone
from kombu.exceptions import OperationalError

from backend.core import correlation, database_timeouts
from backend.core.errors import Permanent, Transient
from backend.ops.models import ProcessRole
from backend.outbox import messages
from backend.outbox.messages import Snooze
from backend.outbox.models import Message, MessageState, Queue
from workers import heartbeat
from workers.stopping import stopping

log = logging.getLogger(__name__)

Perform = Callable[[Message], MessageState | Snooze]

BUDGET_SECONDS = 20  # one drain's share of its 45 s limit; the slowest single effect takes 20 s on top
SETTLE_TRIES = 5  # waits of DATABASE_LOCK_TIMEOUT: longer than DATABASE_IDLE_TIMEOUT lets a frozen process hold a row
TURN = timedelta(seconds=1)  # how long a notice waits before it looks again whether its elder has left


def drain(queue: Queue, perform: Perform, *, helper: Task[[], None]) -> None:
    """Work until nothing is due, the budget is spent, or the worker is asked to stop; unbegun rows are handed back."""
    heartbeat.record(ProcessRole(queue))
    with stopping.deferred():
        began = time.monotonic()
        rows = messages.claim(queue, now=timezone.now())
        if len(rows) == messages.BATCH and not stopping.is_set():
            _wake(helper)
        for index, row in enumerate(rows):
            if stopping.is_set() or time.monotonic() - began > BUDGET_SECONDS:
                _hand_back(rows[index:])
                return
            try:
                _one(row, perform)
            except DatabaseError as error:
                if not database_timeouts.is_timeout(error):
                    raise
                log.warning("%s %s is held by another transaction; its lease brings it back", row.kind, row.uuid)
            heartbeat.record(ProcessRole(queue))


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


def _one(row: Message, perform: Perform) -> None:
    correlation.begin(row.correlation_id, task=f"workers.{row.queue}.drain", message=str(row.uuid), kind=row.kind)
    now = timezone.now()
    if messages.waits_for_older(row, now=now):
        messages.postpone(row, until=now + TURN)
        return
    if not messages.begin_attempt(row, now=now):
        return
    try:
        answer = perform(row)
    except Permanent as error:
        log.error("%s %s given up: %s", row.kind, row.uuid, error)
        messages.give_up(row, str(error), now=timezone.now(), has_surely_not_left=error.surely_not_sent)
    except Transient as error:
        log.warning("%s %s failed, attempt %d: %s", row.kind, row.uuid, row.attempts, error)
        messages.back_off(row, str(error), now=timezone.now(), has_surely_not_left=error.surely_not_sent)
    except Exception as error:  # outermost loop: a bug in one effect must not stop the queue
        if database_timeouts.is_timeout(error):
            log.warning("%s %s waited too long for the database, attempt %d", row.kind, row.uuid, row.attempts)
        else:
            log.exception("%s %s crashed, attempt %d", row.kind, row.uuid, row.attempts)
        messages.back_off(row, type(error).__name__, now=timezone.now())
    else:
        _record(row, answer)


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
