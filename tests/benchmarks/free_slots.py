"""What one search of a busy practice costs in CPU: `python -m tests.benchmarks.free_slots`, in a database of its own.

By itself on SQLite; after `python -m config.local.postgres --` on PostgreSQL, whose own CPU is not in it. No test holds
this against a limit: a busy machine is no bug.
"""

from __future__ import annotations

import gc
import os
import statistics
import sys
import time

import django

TIMES = 40


def main() -> None:
    """One line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.db import connection
    from django.test.runner import DiscoverRunner

    runner = DiscoverRunner(verbosity=0, interactive=False)
    made = runner.setup_databases()
    try:
        sys.stdout.write(f"{connection.vendor}: {_measured()}\n")
    finally:
        runner.teardown_databases(made)


def _measured() -> str:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from tests.benchmarks import busy_practice

    busy_practice.fill()
    with CaptureQueriesContext(connection) as captured:
        found = len(busy_practice.search())
    gc.collect()
    gc.freeze()  # as config/wsgi.py does
    costs = []
    for _ in range(TIMES):
        before = time.process_time()
        busy_practice.search()
        costs.append((time.process_time() - before) * 1000)
    said = f"{found} free slots beside {busy_practice.CLAIMS} claims in {len(captured)} queries"
    return f"{said}, {_spread(costs)}; a million additions of integers: {_spread(_additions())}"


def _spread(costs: list[float]) -> str:
    return f"{min(costs):.1f} ms of CPU at best, {statistics.median(costs):.1f} ms in the middle"


def _additions() -> list[float]:
    """What this machine does in the same minutes with work that everybody knows: neighbours slow both down alike."""
    costs = []
    for _ in range(TIMES):
        before, total = time.process_time(), 0
        for number in range(1_000_000):
            total += number
        costs.append((time.process_time() - before) * 1000)
    return costs


if __name__ == "__main__":
    main()
