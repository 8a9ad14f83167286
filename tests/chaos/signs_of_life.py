"""Looks at every worker's sign of life, so that it can be told afterwards who gave none for a minute after a fault."""

from __future__ import annotations

import time
from collections.abc import Iterable

from backend.ops.models import Process
from tests.chaos.figures import Figure, none_of
from tests.chaos.journal import Happened, Journal
from tests.support.repeating import Observer

WITHIN = 60.0  # seconds after a fault's end; by then a worker that cannot hear has ended and is back


class SignsOfLife(Observer):
    """The instants at which each worker gave one, as far as they were seen."""

    def __init__(self, workers: Iterable[str]) -> None:
        super().__init__()
        self.signs: dict[str, set[float]] = {name: set() for name in workers}

    def look(self) -> None:
        seen = dict(Process.objects.values_list("name", "seen_at"))
        for name in self.signs.keys() & seen.keys():
            self.signs[name].add(seen[name].timestamp())

    def figure(self, journal: Journal) -> Figure:
        """Waits until the last fault is long enough ago."""
        last = max((_ended(fault) for fault in journal.faults), default=0.0)
        time.sleep(max(0.0, last + WITHIN + 2 * self.every - time.time()))
        silent = [
            f"{name} after {fault.kind} of {fault.victim}"
            for fault in journal.faults
            for name in self.silent_after(fault)
        ]
        return none_of(f"workers without a sign of life within {WITHIN:.0f} s of a fault's end", silent)

    def silent_after(self, fault: Happened) -> list[str]:
        """A later fault may silence a worker again: that is that fault's matter."""
        end = _ended(fault)
        return [name for name, signs in self.signs.items() if not any(end < at <= end + WITHIN for at in signs)]


def _ended(fault: Happened) -> float:
    return max(fault.at, fault.until)


def name_of(part: str) -> str:
    """`worker-mail-1` calls itself `mail@node-1`."""
    _, queue, number = part.split("-")
    return f"{queue}@node-{number}"
