"""One search for free slots beside 20,000 claims, against a million additions: what everybody's machine can do."""

from __future__ import annotations

import gc
import time

from django.db import transaction

from tests.bench import busy_calendar
from tests.bench.figures import Figure, ratio
from tests.bench.meters import took_ms
from tests.bench.reference import millions
from tests.bench.run import Run


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
                "search": lambda: took_ms(busy_calendar.search, time.process_time),
                "additions": lambda: took_ms(lambda: millions.add(run.many(millions.MILLION)), time.process_time),
            }
        )
        transaction.set_rollback(True)
    return [
        ratio("a search for free slots against a million additions", found["search"], found["additions"]),
        Figure("a search for free slots: CPU of the worker", found["search"], "ms"),
    ]
