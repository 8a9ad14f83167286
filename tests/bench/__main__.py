"""`python -m tests.bench [--only requests calls …] [--rounds N] [--seed N] [--bookings N]`: the table of speed.

Exit codes: 0 every goal's floor holds, 1 one is missed, 2 it cannot be tried here.
"""

from __future__ import annotations

import argparse
import importlib
import random
import sys
import time
from collections.abc import Sequence

from config.local.console import end_in_order, say
from tests.bench import figures, report, service
from tests.bench.figures import Figure
from tests.bench.run import Run

ROWS = (
    "requests",
    "provider",
    "calls",
    "sweeps",
    "mails",
    "handoff",
    "ticks",
    "processes",
    "idle",
    "slots",
    "strangers",
)
# only when asked for: they need a large practice, or a quarter of an hour
LONG = ("desk", "growth", "plans", "sizes", "snapshot")


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="*", choices=[*ROWS, *LONG], default=[])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))
    parser.add_argument("--bookings", type=int, default=20_000, help="of the practice that pages are measured on")
    parser.add_argument("--minutes", type=float, default=15, help="that a snapshot is held")
    given = parser.parse_args(arguments)
    end_in_order()
    say(f"Seed {given.seed}, {given.rounds} rounds. {report.machine()}")
    missed: list[Figure] = []
    with service.running() as running:
        run = Run(running.url, running.bare_url, running.groups, running, given.rounds)
        run.held_minutes = given.minutes
        run.bookings, run.chance = given.bookings, random.Random(given.seed)
        for name in given.only or ROWS:
            missed += [one for one in _measured(name, run) if not one.holds]
    for one in missed:
        say(f"MISSED: {one.name}: {one.value}, must be {one.goal}")
    return 1 if missed else 0


def _measured(name: str, run: Run) -> list[Figure]:
    began = time.monotonic()
    found: list[Figure] = importlib.import_module(f"tests.bench.rows.{name}").measure(run)
    table = figures.table(found)
    say(f"\n{name}, {time.monotonic() - began:.0f} s\n{table}")
    report.keep(name, table)
    return found


if __name__ == "__main__":
    sys.exit(main())
