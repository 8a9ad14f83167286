"""A watch in each worker's parent: a worker that hears nothing works by itself, and one that cannot hear is ended.

Whether it can hear, it finds out by a message to itself, which no beat and no worker of the same queue has a part in.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from billiard import active_children
from celery.signals import task_received, worker_init, worker_ready, worker_shutdown
from celery.worker import state
from django.db import DatabaseError, InterfaceError, close_old_connections
from django.utils import timezone

from backend.ops import heartbeats
from backend.ops.models import IncidentKind, ProcessRole
from workers import transport
from workers.echo import Echo, Listening
from workers.hearing import Hearing
from workers.stand_in import StandIn

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds
STOP_WITHIN = 25.0  # seconds of the 30 that a supervisor gives
LEAVE_WITHIN = 10.0  # seconds that Celery gets to stop by itself
FAILED = os.EX_SOFTWARE  # so that every supervisor starts the worker again


@dataclass
class Watch:
    """The watch of one worker; its thread begins with `start`."""

    role: ProcessRole
    echo: Echo
    stand_in: StandIn
    hearing: Hearing = field(default_factory=lambda: Hearing(time.monotonic(), time.monotonic()))
    is_busy: Callable[[], bool] = lambda: bool(state.reserved_requests)
    _discarded: Counter[str] = field(default_factory=Counter)
    _is_over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Once; Celery says that it is ready after each connection."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """The worker stops."""
        self._is_over.set()
        self.stand_in.stop(within=STOP_WITHIN)

    def discarded(self, _queue: str, reason: str) -> None:
        """The transport passed over something; written from the watch's thread, as the event loop must not wait."""
        self._discarded[reason] += 1

    def look(self, now: float) -> bool:
        """One look; whether the worker is deaf."""
        self._write_discarded()
        if self.echo.is_connected and self.is_busy():  # while it connects, Celery learns of nobody's end
            self.hearing.at_work(now)
        if self.hearing.is_quiet(now):
            self.hearing.called(now, is_taken=self.echo.call())
        self._stand_in(now)
        return self.hearing.is_deaf(now, is_connected=self.echo.is_connected)

    def _stand_in(self, now: float) -> None:
        if self.hearing.is_alone(now) and self.stand_in.start():
            log.warning("%s is not woken: it works by itself meanwhile", self.role)
        if self.hearing.is_woken(now) and self.stand_in.stop():
            log.warning("%s is woken again", self.role)

    def _run(self) -> None:
        while not self._is_over.wait(LOOK_EVERY):
            if self.look(time.monotonic()):
                log.critical(
                    "%s hears nothing although the broker answers: it ends, to be started anew", self.role.value
                )
                count(self.role, IncidentKind.RESTARTED)
                self.stop()
                leave()

    def _write_discarded(self) -> None:
        if self._discarded:
            reasons, self._discarded = self._discarded, Counter()
            log.warning("discarded what was no message of %s: %s", self.role.value, dict(reasons))
            count(self.role, IncidentKind.DISCARDED, times=reasons.total())


_watch: Watch | None = None  # of this worker


@worker_init.connect
def _make(sender: Any, **_signal: Any) -> None:
    """Before Celery connects, and before it forks."""
    global _watch
    role = ProcessRole(sender.hostname.partition("@")[0])
    watch = Watch(role, Echo(lambda: watch.hearing.heard(time.monotonic())), StandIn(role.value))
    Listening.echo, _watch = watch.echo, watch
    transport.on_discarded(watch.discarded)


@worker_ready.connect
def _begin(**_signal: Any) -> None:
    if _watch is not None:
        _watch.start()


@task_received.connect
def _note(**_signal: Any) -> None:
    if _watch is not None:
        _watch.hearing.woken(time.monotonic())


@worker_shutdown.connect
def _end(**_signal: Any) -> None:
    if _watch is not None:
        _watch.stop()


def count(role: ProcessRole, kind: IncidentKind, *, times: int = 1) -> None:
    """For operators; without a database the log has to do."""
    try:
        heartbeats.count_incidents(role, kind, times=times, now=timezone.now())
    except (DatabaseError, InterfaceError) as error:
        log.warning("not counted: %s", type(error).__name__)
    close_old_connections()


def leave() -> None:
    """Have Celery stop with an error; a parent that does not even come to that ends here, with its children."""
    state.should_stop = FAILED  # type: ignore[assignment]
    time.sleep(LEAVE_WITHIN)
    for child in active_children():
        if child.pid is not None:
            os.kill(child.pid, signal.SIGKILL)
    os._exit(FAILED)
