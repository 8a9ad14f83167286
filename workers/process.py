"""The process that works: Celery's worker of one queue, or its beat, without its command line.

That would load every command it has, with an interactive shell and Flower's web server among them.
"""

from __future__ import annotations

from typing import Any

from celery import Celery
from django.conf import settings

from backend.core import loading
from workers.wake_ups import QUEUES

BEAT = "beat"


def run(name: str) -> int:
    """Work until it is told to stop; the exit code."""
    with loading.for_good():
        app = application(name)
        app.loader.init_worker()  # sets Django up, and loads the tasks
        worker = None if name == BEAT else app.Worker(**options(name))
    if worker is None:
        app.Beat(quiet=True).run()  # without a pid file: two at once are harmless, a stale one is not
        return 0
    worker.start()
    return worker.exitcode or 0


def application(name: str) -> Celery:
    """Celery's, which loads the tasks of this process alone; beat sends by name, and needs none."""
    from workers.app import app  # its settings are read only now that they are needed

    app.conf.imports = (f"workers.{name}", "workers.canary", "workers.watch") if name in QUEUES else ()
    return app


def options(queue: str) -> dict[str, Any]:
    """Of a worker: https://docs.celeryq.dev/en/stable/reference/cli.html#celery-worker."""
    return {
        "quiet": True,  # its banner is no line of the log
        "queues": [queue],
        "hostname": f"{queue}@{settings.NODE_NAME}",
        "pool": "prefork",
        "concurrency": concurrency(queue),
        "without_gossip": True,  # nobody listens: workers share nothing but the database
        "without_mingle": True,
    }


def concurrency(queue: str) -> int:
    """Tasks a worker performs at once."""
    if queue in ("timers", "calls"):
        return 1  # timers: batches take what they need; calls: few, short, and a receiver that is slow is left alone
    return int(settings.WORKER_CONCURRENCY)
