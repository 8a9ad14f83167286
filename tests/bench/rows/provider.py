"""Draft intake while the mail provider is slow, hangs or fails, against the same while it is well.

Two mail workers send meanwhile what the drafts owe, as in production. What is left is withdrawn before the next turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice

from django.utils import timezone

from backend.outbox.models import Message, MessageState
from tests.bench import sink
from tests.bench.figures import Figure, Goal, ratio
from tests.bench.rows.requests import Measured, burst, drafts
from tests.bench.run import Run
from tests.support import api

SLOW = 0.15  # seconds
KEPT, TAIL = Goal(0.95, 1), Goal(1.3, 1.1, is_cost=True)
BEGINS_WITHIN = 1.2  # seconds: the workers are at it


def measure(run: Run) -> list[Figure]:
    """Bursts by turns; each provider has some mails in hand before the clock starts."""
    run.parts.only("broker", "web", "beat", "mail", WORKER_CONCURRENCY="2")
    tell = run.parts.sink
    providers: dict[str, Callable[[], None]] = {
        "well": lambda: tell.takes(0),
        "slow": lambda: tell.takes(SLOW),
        "hangs": lambda: tell.takes(sink.HANGS),
        "fails": tell.fails,
    }
    found = run.compare({name: _during(run, change) for name, change in providers.items()})
    tell.takes(0)
    well = found.pop("well")
    figures = [Figure("drafts a second, the provider well", [one.burst.rate for one in well])]
    for name, ill in found.items():
        rates = [one.burst.rate for one in ill], [one.burst.rate for one in well]
        tails = [one.burst.p99 for one in ill], [one.burst.p99 for one in well]
        figures += [ratio(f"draft intake while it {_said(name)}", *rates, KEPT), ratio("its p99", *tails, TAIL)]
    return figures


def _said(name: str) -> str:
    return f"takes {SLOW * 1000:.0f} ms a mail" if name == "slow" else name


def _during(run: Run, change: Callable[[], None]) -> Callable[[], Measured]:
    def take() -> Measured:
        waiting = Message.objects.filter(queue="mail", state=MessageState.WAITING)
        waiting.update(state=MessageState.OBSOLETE, settled_at=timezone.now())
        change()
        asked = drafts(api.DRAFT)
        burst(run, run.url, islice(asked, run.many(40)), 201)
        time.sleep(BEGINS_WITHIN * run.size)
        return burst(run, run.url, asked, 201)

    return take
