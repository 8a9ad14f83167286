"""How a timer goes on: a batch after another, or a row after another, until nothing is due or its time is spent."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

from django.db.models import QuerySet
from django.utils import timezone

from backend.bookings import policy
from backend.bookings.lifecycle.sweeping import BatchFailed, TimedIntent
from backend.core import database_timeouts
from backend.ops import heartbeats
from backend.ops.heartbeats import Run
from backend.ops.models import ProcessRole
from workers import heartbeat, watchdog
from workers.stopping import stopping

log = logging.getLogger(__name__)

BUDGET_SECONDS = 30.0  # of a run, below the soft limit of 45 s: rows that others hold cost a wait each
BATCHES_SECONDS = 5.0  # of a run in batches, which waits for no row: half a tick, so that the others have their turn
FAILED = object()  # what a row answers that failed


class Select(Protocol):
    def __call__(self, *, now: datetime) -> QuerySet[Any]: ...


class RowIntent(Protocol):
    def __call__(self, row_id: int, /, *, now: datetime) -> object: ...


class _AskedBy(threading.local):
    """The operator whom the history names for the current run; empty for beat's own runs."""

    name = ""


asked_by = _AskedBy()


def sweep(name: str, intent: TimedIntent, *, seconds: float = BATCHES_SECONDS) -> None:
    """A batch of bookings at a time; one with a booking that fails is undone, and each of it tried alone."""
    with _run(name) as run:
        goes_on = _time_left(seconds)
        left: set[int] = set()  # failed, or not due on a closer look: for the next run
        while goes_on() and (did := _batch(intent, left, goes_on)):
            left.update(booking_id for booking_id, answer in did.items() if answer is not True)
            run.examined += len(did)
            run.changed += sum(answer is True for answer in did.values())
            run.failed += sum(answer is FAILED for answer in did.values())
            heartbeat.record(ProcessRole.TIMERS)


def _batch(intent: TimedIntent, left: set[int], goes_on: Callable[[], bool]) -> Mapping[int, object]:
    """What became of each; empty: nothing is due that nobody holds."""
    now = timezone.now()
    try:
        return intent.batch(now=now, besides=left)
    except BatchFailed as failed:
        why = type(failed.__cause__).__name__
        log.warning("%s: %s are tried alone, for one of them failed: %s", intent.__name__, failed, why)
        return {row_id: _tried(row_id, intent, rows="booking", now=now) for row_id in failed.booking_ids if goes_on()}


def sweep_each(name: str, select: Select, intent: RowIntent, *, rows: str = "booking") -> None:
    """One transaction each; one that fails is logged and skipped, and the next sweep tries it again."""
    now = timezone.now()
    with _run(name) as run:
        goes_on = _time_left(BUDGET_SECONDS)
        examined: set[int] = set()
        while goes_on() and (due := _ids(select(now=now).exclude(pk__in=examined))):
            for row_id in due:
                if not goes_on():
                    break
                examined.add(row_id)
                run.failed += _tried(row_id, intent, rows=rows, now=now) is FAILED
        run.examined = len(examined)
        if examined:  # intents do nothing when another worker was first: what is no longer due was changed
            run.changed = run.examined - select(now=now).filter(pk__in=examined).count()


def _ids(due: QuerySet[Any]) -> list[int]:
    return list(due.values_list("pk", flat=True)[: policy.SWEEP_BATCH])


def _tried(row_id: int, intent: RowIntent, *, rows: str, now: datetime) -> object:
    """What it answered, or FAILED, which is in the log."""
    answer: object = FAILED
    try:
        answer = intent(row_id, now=now)
    except Exception as error:  # outermost loop: one broken row must not keep the others waiting
        name = getattr(intent, "__name__", "intent")
        if database_timeouts.is_timeout(error):
            log.warning("%s: %s %d is held by another transaction", name, rows, row_id)
        else:
            log.exception("%s failed for %s %d", name, rows, row_id)
    heartbeat.record(ProcessRole.TIMERS)
    return answer


def purge(name: str, some: Callable[[datetime], int]) -> None:
    """A timer that deletes or blanks rows by itself, a batch at a time, until none is left that is due."""
    with _run(name) as run:
        goes_on = _time_left(BUDGET_SECONDS)
        while goes_on() and (done := some(timezone.now())):
            run.changed += done
            heartbeat.record(ProcessRole.TIMERS)
        run.examined = run.changed


@contextmanager
def _run(name: str) -> Iterator[Run]:
    heartbeat.record(ProcessRole.TIMERS)
    with watchdog.around(name), heartbeats.timer_run(name, clock=timezone.now, asked_by=asked_by.name) as run:
        yield run


def _time_left(seconds: float) -> Callable[[], bool]:
    """Whether a run may go on: until its budget is spent, or the worker is asked to stop."""
    began = time.monotonic()
    return lambda: not stopping.is_set() and time.monotonic() - began <= seconds
