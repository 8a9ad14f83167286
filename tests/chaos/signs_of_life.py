"""Looks at every worker's sign of life, so that it can be told afterwards who had none a minute after a fault."""

from __future__ import annotations

import threading
import time

from django.db import Error, connection

from backend.ops.health import SILENT_AFTER
from backend.ops.models import Process
from tests.chaos.figures import Figure, none_of
from tests.chaos.journal import Happened, Journal
from tests.chaos.stack import Stack

EVERY = 1.0  # seconds
WITHIN = 60.0  # seconds after a fault's end; by then a worker that cannot hear has ended and is back


class SignsOfLife(threading.Thread):
    """Who had given a sign within SILENT_AFTER, second by second."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(daemon=True, name="signs of life")
        self._workers = {name_of(part.name) for part in stack.named("worker-")}
        self._silent: list[tuple[float, set[str]]] = []
        self._is_over = threading.Event()

    def run(self) -> None:
        while not self._is_over.wait(EVERY):
            self.look()
        connection.close()

    def look(self) -> None:
        now = time.time()
        try:
            seen = dict(Process.objects.values_list("name", "seen_at"))
        except Error:  # PostgreSQL is away; the next look asks again
            connection.close()
            return
        limit = now - SILENT_AFTER.total_seconds()
        self._silent.append((now, {n for n in self._workers if n not in seen or seen[n].timestamp() < limit}))

    def stop(self) -> None:
        self._is_over.set()
        self.join()

    def figure(self, journal: Journal) -> Figure:
        """Waits until the last fault is long enough ago."""
        last = max((_ended(fault) for fault in journal.faults), default=0.0)
        time.sleep(max(0.0, last + WITHIN + 2 * EVERY - time.time()))
        silent = [
            f"{name} after {fault.kind} of {fault.victim}" for fault in journal.faults for name in self._at(fault)
        ]
        return none_of(f"workers without a sign of life {WITHIN:.0f} s after a fault", silent)

    def _at(self, fault: Happened) -> set[str]:
        due = _ended(fault) + WITHIN
        return next((silent for at, silent in self._silent if at >= due), self._workers)


def _ended(fault: Happened) -> float:
    return max(fault.at, fault.until)


def name_of(part: str) -> str:
    """`worker-mail-1` calls itself `mail@node-1`."""
    _, queue, number = part.split("-")
    return f"{queue}@node-{number}"
