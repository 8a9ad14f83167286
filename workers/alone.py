"""Does a worker's work while nobody wakes it: `python -m workers.alone mail|payments|calls|timers`.

Every task that the schedule has for its queue, at its interval. Ends with its parent, or when that is woken again.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from datetime import timedelta

from workers.app import app
from workers.stopping import stopping

app.loader.import_default_modules()  # which sets Django up, as in a worker

from django.db import DatabaseError, InterfaceError, close_old_connections  # noqa: E402
from django_celery_beat.models import PeriodicTask  # noqa: E402

from backend.core import correlation  # noqa: E402

LOOK_EVERY = 1.0  # second
log = logging.getLogger(__name__)


def main(queue: str) -> None:
    """Until it is told to stop, or its parent is gone."""
    signal.signal(signal.SIGTERM, lambda *_signal: stopping.set())
    parent, next_at = os.getppid(), dict[str, float]()
    while not stopping.is_set() and os.getppid() == parent:
        work_once(queue, next_at, now=time.monotonic())
        time.sleep(LOOK_EVERY)


def work_once(queue: str, next_at: dict[str, float], *, now: float) -> None:
    """Perform what is due, and note in `next_at` when each task is due again."""
    for task, every in _entries(queue):
        if not stopping.is_set() and now >= next_at.get(task, now):
            next_at[task] = now + every.total_seconds()
            _perform(task)
    close_old_connections()


def _entries(queue: str) -> list[tuple[str, timedelta]]:
    """The tasks that the schedule has for this queue, and their intervals, as operators left them."""
    entries = PeriodicTask.objects.filter(enabled=True, interval__isnull=False, task__startswith=f"workers.{queue}.")
    try:
        return [
            (task, timedelta(**{period: every}))
            for task, every, period in entries.values_list("task", "interval__every", "interval__period")
            if not task.endswith(".canary")  # it would say that the queue works
        ]
    except (DatabaseError, InterfaceError) as error:
        log.warning("no schedule: %s", type(error).__name__)
        return []


def _perform(task: str) -> None:
    correlation.begin(task=task)
    try:
        app.tasks[task]()
    except Exception:  # outermost loop, as Celery's own: one broken task must not keep the others waiting
        log.exception("%s failed", task)


if __name__ == "__main__":
    main(sys.argv[1])
