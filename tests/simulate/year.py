"""The clock of the year: at each of its hours people act, workers drain their queues and timers sweep."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from statistics import median
from unittest.mock import patch

import time_machine
from django.test import override_settings

from backend.outbox.models import Message
from config.schedule import TABLE
from tests.bench.meters import CpuMeter, took_ms
from tests.bench.reference import millions
from tests.simulate import figures, holding
from tests.simulate.figures import Month
from tests.simulate.people import Town
from workers import calls, drain, mail, payments
from workers.app import app

BEGINS = datetime(2027, 1, 4, tzinfo=UTC)  # a Monday
TICKS = (2.5, 5.0, 7.5, 10.0, 12.5, 15.0)  # hours in UTC: 8:00 to 20:30 in Asia/Kolkata
MONTH = 30  # days
NOT_HERE = ("canary", "fetch_settlements")  # need a broker, or a gateway that pays out
ONCE_A_DAY = ("reconcile",)  # asks after every payment of three days, whose refunds it compares each hour otherwise
DRAINS = 200  # at one instant at most
SWEEPS = [task for task, _ in TABLE.values() if task.startswith("workers.timers.") and not task.endswith(NOT_HERE)]
OFTEN = [task for task in SWEEPS if not task.endswith(ONCE_A_DAY)]


def live(
    days: int,
    sessions: int,
    chance: random.Random,
    database: int,
    tell: Callable[[datetime], None] = lambda _now: None,
) -> Iterator[Month]:
    """Each month as it was. `database`: PostgreSQL's pid. `tell`: the gateway the time."""
    app.loader.import_default_modules()
    with (
        _quiet(),
        patch.object(drain, "_wake"),  # a helper: there is one process
        override_settings(EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend"),
        time_machine.travel(BEGINS, tick=False) as clock,
    ):
        town = Town(sessions, chance)
        for first in range(0, days, MONTH):
            made, beside = town.made, list[float]()
            began, meter = time.process_time(), CpuMeter(database=[database])
            for day in range(first, min(first + MONTH, days)):
                beside.append(took_ms(millions.add, time.process_time))
                for hours in TICKS:
                    now = BEGINS + timedelta(days=day, hours=hours)
                    tell(now)
                    clock.move_to(now)
                    _tick(town, clock, SWEEPS if hours == TICKS[-1] else OFTEN)
            spent = {"ours": time.process_time() - began - sum(beside) / 1000} | meter.spent()
            ended = BEGINS + timedelta(days=min(first + MONTH, days))
            broken = [*holding.broken(), *_refusals(town)]
            yield figures.of_month(ended, town.made - made, spent, additions=median(beside), broken=broken)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without some hundred thousand lines."""
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _tick(town: Town, clock: time_machine.Traveller, sweeps: Sequence[str]) -> None:
    now = datetime.now(UTC)
    town.arrive(1 / len(TICKS), now)
    town.act(now)
    _work()
    clock.shift(timedelta(minutes=2))
    town.pay(datetime.now(UTC))
    _work()
    for task in sweeps:
        app.tasks[task]()
    _work()


def _work() -> None:
    """As beat wakes them each second, until nothing is due: a drain ends with a batch that is not full."""
    for _ in range(DRAINS):
        payments.drain()
        mail.drain()
        calls.drain()
        if not Message.objects.filter(state="waiting", next_attempt_at__lte=datetime.now(UTC)).exists():
            return


def _refusals(town: Town) -> list[str]:
    """Of the month; said once."""
    found, town.refused = town.refused, []
    return found
