"""One drain: claim due rows of a queue under a lease, perform each effect outside any transaction, settle it."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from celery import Task
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from kombu.exceptions import OperationalError

from backend.core import database_timeouts
from backend.ops import heartbeats
from backend.ops.models import ProcessRole
from backend.outbox import messages
from backend.outbox.models import Queue
from workers import heartbeat
from workers.batch import Batch, LookAhead, Perform
from workers.stopping import stopping

log = logging.getLogger(__name__)

BUDGET_SECONDS = 15  # one drain's share of its soft limit; the slowest single mail takes 80 s on top, of 100 s


def drain(queue: Queue, perform: Perform, *, helper: Task[[], None], look_ahead: LookAhead = lambda _rows: {}) -> None:
    """Work until nothing is due, the budget is spent, or the worker is asked to stop; unbegun rows are handed back."""
    role, ends_at = ProcessRole(queue), time.monotonic() + BUDGET_SECONDS

    def may_go_on() -> bool:
        heartbeat.record(role)
        return not stopping.is_set() and time.monotonic() < ends_at

    with stopping.deferred():
        has_helper = False
        while may_go_on():
            batch, is_full = _claimed(queue, perform, look_ahead)
            if is_full and not has_helper and not stopping.is_set():
                has_helper = True
                _wake(helper)
            if batch is not None:
                with heartbeat.while_busy(role), _counted(queue, batch):
                    batch.work_off(may_go_on=may_go_on)
            if not is_full or batch is None or batch.is_refused:
                return


def _claimed(queue: Queue, perform: Perform, look_ahead: LookAhead) -> tuple[Batch | None, bool]:
    """The next batch, if anything is due, and whether more may be."""
    now = timezone.now()
    is_trial = messages.begins_trial(queue, now=now)
    rows = messages.claim(queue, now=now, limit=1 if is_trial else None, is_trial=is_trial)
    batch = Batch(rows, perform, look_ahead, is_trial=is_trial) if rows else None
    return batch, len(rows) == messages.BATCHES[queue]


@contextmanager
def _counted(queue: Queue, batch: Batch) -> Iterator[None]:
    """Add up what became of a batch. A count that cannot be written is lost, and nothing else."""
    try:
        yield
    except DatabaseError as error:
        if not database_timeouts.is_timeout(error):
            raise
        log.warning("the queue %s waited too long for the database; leases bring its rows back", queue)
    finally:
        try:
            heartbeats.count_attempts(queue, Counter(batch.results))
        except (DatabaseError, InterfaceError) as error:
            log.warning("attempts not counted: %s", type(error).__name__)


def _wake(helper: Task[[], None]) -> None:
    """Ask for a second pair of hands; without a broker the next wake-up has to do."""
    try:
        helper.apply_async()
    except OperationalError as error:
        log.warning("no helper: %s", error)
