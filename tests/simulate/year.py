"""The clock of the year: at each of its hours people act, workers drain their queues and timers sweep."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import time_machine
from django.test import override_settings

from config.schedule import TABLE
from tests.bench.meters import CpuMeter
from tests.simulate import figures, holding
from tests.simulate.figures import Month
from tests.simulate.people import Town
from workers import calls, drain, mail, payments
from workers.app import app

BEGINS = datetime(2027, 1, 4, tzinfo=UTC)  # a Monday
TICKS = (2.5, 5.0, 7.5, 10.0, 12.5, 15.0)  # hours in UTC: 8:00 to 20:30 in Asia/Kolkata
MONTH = 30  # days
NOT_HERE = ("canary", "fetch_settlements")  # need a broker, or a gateway that pays out
SWEEPS = [task for task, _ in TABLE.values() if task.startswith("workers.timers.") and not task.endswith(NOT_HERE)]


def live(days: int, sessions: int, chance: random.Random, database: int) -> Iterator[Month]:
    """Each month as it was. `database`: PostgreSQL's pid."""
    app.loader.import_default_modules()
    with (
        _quiet(),
        patch.object(drain, "_wake"),  # a helper: there is one process
        override_settings(EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend"),
        time_machine.travel(BEGINS, tick=False) as clock,
    ):
        town = Town(sessions, chance)
        for first in range(0, days, MONTH):
            made, meter = town.made, CpuMeter(ours=[figures.OURS], database=[database])
            for day in range(first, min(first + MONTH, days)):
                for hours in TICKS:
                    clock.move_to(BEGINS + timedelta(days=day, hours=hours))
                    _tick(town, clock)
            spent = meter.spent()
            ended = BEGINS + timedelta(days=min(first + MONTH, days))
            yield figures.of_month(ended, town.made - made, spent, broken=[*holding.broken(), *_refusals(town)])


@contextmanager
def _quiet() -> Iterator[None]:
    """Without some hundred thousand lines."""
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _tick(town: Town, clock: time_machine.Traveller) -> None:
    now = datetime.now(UTC)
    town.arrive(1 / len(TICKS), now)
    town.act(now)
    _work()
    clock.shift(timedelta(minutes=2))
    town.pay(datetime.now(UTC))
    _work()
    for task in SWEEPS:
        app.tasks[task]()
    _work()


def _work() -> None:
    payments.drain()
    mail.drain()
    calls.drain()


def _refusals(town: Town) -> list[str]:
    """Of the month; said once."""
    found, town.refused = town.refused, []
    return found
