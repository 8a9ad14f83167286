"""What a whole stack takes while nobody asks anything of it."""

from __future__ import annotations

import time

import psycopg

from tests.bench.figures import Figure, Goal
from tests.bench.meters import CpuMeter
from tests.bench.run import Run

PARTS = ("web", "mail", "payments", "calls", "timers", "beat", "broker")
SETTLES_WITHIN, SECONDS = 12.0, 10.0  # each window sees a tick of every timer that runs all day
WINDOWS = 3
CORE, SESSIONS = Goal(10, 5, is_cost=True), Goal(0.1, 0, is_cost=True)
COUNTED = "SELECT sessions, xact_commit FROM pg_stat_database WHERE datname = current_database()"


def measure(run: Run) -> list[Figure]:
    """Percent of a core, by process and together, over some windows."""
    run.parts.only(*PARTS)
    time.sleep(SETTLES_WITHIN * run.size)
    pids = {name: [run.parts.pid(name)] for name in PARTS} | {"database": [run.parts.database.pid]}
    shares: dict[str, list[float]] = {name: [] for name in pids}
    sessions, commits = [], []
    with psycopg.connect(run.parts.database.url, autocommit=True) as watcher:
        for _ in range(min(run.rounds, WINDOWS)):
            before, meter, began = _counts(watcher), CpuMeter(**pids), time.monotonic()
            time.sleep(SECONDS * run.size)
            seconds = time.monotonic() - began
            for name, spent in meter.spent().items():
                shares[name].append(100 * spent / seconds)
            after = _counts(watcher)
            sessions.append((after[0] - before[0]) / seconds)
            commits.append((after[1] - before[1] - 1) / seconds)  # one of them was the look
    together = [sum(one) for one in zip(*shares.values(), strict=True)]
    return [
        Figure("an idle stack's share of a core", together, "%", CORE),
        *(Figure(f"of it {name}", values, "%") for name, values in shares.items()),
        Figure("new database sessions a second", sessions, "", SESSIONS),
        Figure("commits a second", commits),
    ]


def _counts(watcher: psycopg.Connection) -> tuple[int, int]:
    [(sessions, commits)] = watcher.execute(COUNTED).fetchall()
    return sessions, commits
