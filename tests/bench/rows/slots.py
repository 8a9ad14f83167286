"""One search for free slots beside 20,000 claims, against a million additions: what everybody's machine can do."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

from django.db import transaction

from tests.bench import busy_calendar
from tests.bench.figures import Figure, ratio
from tests.bench.run import Run

MILLION = 1_000_000


def measure(run: Run) -> list[Figure]:
    """CPU of this process by turns; the practice is gone afterwards."""
    if run.service:
        run.service.only()
    with transaction.atomic():
        busy_calendar.fill(run.many(busy_calendar.CLAIMS))
        gc.collect()
        gc.freeze()  # as config/wsgi.py does
        found = run.compare(
            {
                "search": lambda: _cpu_ms(busy_calendar.search),
                "additions": lambda: _cpu_ms(lambda: _add(run.many(MILLION))),
            }
        )
        transaction.set_rollback(True)
    return [
        ratio("a search for free slots against a million additions", found["search"], found["additions"]),
        Figure("a search for free slots: CPU of the worker", found["search"], "ms"),
    ]


def _cpu_ms(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return 1000 * (time.process_time() - before)


def _add(count: int) -> int:
    total = 0
    for number in range(count):
        total += number
    return total
