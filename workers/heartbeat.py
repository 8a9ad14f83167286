"""Heartbeats: each worker writes one while it works, and removes it when it stops properly."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from backend.core import database_timeouts
from backend.ops import clocks, heartbeats
from backend.ops.models import ProcessRole

log = logging.getLogger(__name__)

RECORD_EVERY = timedelta(seconds=5)  # a sixth of the silence after which a process counts as gone
COMPARE_EVERY = 30.0  # seconds
_said_at: dict[ProcessRole, datetime] = {}


@dataclass
class _Clock:
    ahead: timedelta | None = None  # of the database's; None: not compared yet
    compared_at: float | None = None  # monotonic


_clock = _Clock()


def record(role: ProcessRole) -> None:
    """Write that this process is at work: one short UPDATE, at most every RECORD_EVERY."""
    now, said_at = now_of_database(), _said_at.get(role)
    if said_at is not None and abs(now - said_at) < RECORD_EVERY:  # a clock that was set back must not silence us
        return
    try:
        heartbeats.record_heartbeat(name_of(role), role, now=now, clock_ahead=_clock.ahead)
    except DatabaseError as error:
        if not database_timeouts.is_timeout(error):
            raise
        log.warning("no sign of life: %s", type(error).__name__)  # the work goes on; the next sign comes soon
    _said_at[role] = now


def compare_clocks() -> None:
    """With the database's, at most every COMPARE_EVERY. What follows is said in the database's time."""
    now = time.monotonic()
    if _clock.compared_at is not None and now - _clock.compared_at < COMPARE_EVERY:
        return
    _clock.compared_at = now
    try:
        _clock.ahead = clocks.ahead()
    except (DatabaseError, InterfaceError) as error:  # the work that follows says more
        log.warning("clocks not compared: %s", type(error).__name__)


def now_of_database() -> datetime:
    """Our own clock's time, unless that is plainly wrong."""
    now = timezone.now()
    return now - _clock.ahead if _clock.ahead is not None and clocks.is_skewed(_clock.ahead) else now


@contextmanager
def while_busy(role: ProcessRole) -> Iterator[None]:
    """Write them beside a block whose single steps may take longer than a silence that counts."""
    is_over = threading.Event()
    beside = threading.Thread(target=_record_until, args=(role, is_over), daemon=True)
    beside.start()
    try:
        yield
    finally:
        is_over.set()
        beside.join()


def _record_until(role: ProcessRole, is_over: threading.Event) -> None:
    while not is_over.wait(RECORD_EVERY.total_seconds()):
        try:
            record(role)
        except (DatabaseError, InterfaceError) as error:
            log.warning("no sign of life: %s", type(error).__name__)
        finally:
            connections.close_all()  # this thread's own


def remove(name: str) -> None:
    """This process stops on purpose. Without a database it will be missed for a while, and that is all."""
    try:
        heartbeats.remove_heartbeat(name)
        connections.close_all()
    except (DatabaseError, InterfaceError) as error:
        log.warning("no farewell: %s", type(error).__name__)


def name_of(role: ProcessRole) -> str:
    """The process's name in Celery, in our tables and in metrics."""
    return f"{role.value}@{settings.NODE_NAME}"
