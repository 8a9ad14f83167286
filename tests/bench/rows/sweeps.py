"""Due bookings put through the machine in one process, against one SQL statement over the same rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from backend.bookings.machine import State
from backend.bookings.models import Booking, SlotClaim
from backend.people.models import Psychologist
from tests.bench.counting import asked_by
from tests.bench.figures import Figure, Goal, ratio
from tests.bench.meters import CpuMeter
from tests.bench.reference import sweep
from tests.bench.run import Run
from tests.support.factories import make_booking, make_psychologist
from workers import timers

BOOKINGS, TIMES = 300, 8  # a round
SWEPT = Goal(0.4, 0.6)


@dataclass(frozen=True)
class Swept:
    """What a sweep of all of them took."""

    rows: int
    seconds: float
    own_cpu: float  # seconds, of this process
    database_cpu: float

    @property
    def rate(self) -> float:
        return self.rows / self.seconds


def measure(run: Run) -> list[Figure]:
    """Both over the same rows, which are made due again before each turn."""
    if run.service:
        run.service.only()
    due = Due(run.many(BOOKINGS))
    found = run.compare(
        {
            "ours": lambda: _swept(run, due, timers.complete_sessions),
            "statement": lambda: _swept(run, due, sweep.complete_sessions),
        }
    )
    ours, statement = found["ours"], found["statement"]
    rates = [one.rate for one in ours], [one.rate for one in statement]
    due.again()
    statements = asked_by(timers.complete_sessions).statements
    swept_at_once = len(due.ids) - due.left()
    return [
        ratio("due bookings swept, against one statement", *rates, SWEPT),
        Figure("swept a second, one process", rates[0]),
        Figure("the statement's", rates[1]),
        Figure("CPU of the worker a row", [1000 * one.own_cpu / one.rows for one in ours], "ms"),
        Figure("CPU of the database a row", [1000 * one.database_cpu / one.rows for one in ours], "ms"),
        Figure("the statement's, of the database", [1000 * one.database_cpu / one.rows for one in statement], "ms"),
        Figure("statements a swept row", [statements / swept_at_once]),
        Figure(f"swept by one tick, of {len(due.ids)} due", [swept_at_once]),
    ]


class Due:
    """Sessions that are over, each with the time that it still holds."""

    def __init__(self, count: int) -> None:
        now, who = timezone.now(), make_psychologist("Dr. Swept", email="swept@bench.example")
        self.ids = [self._make(number, who, now - timedelta(days=2)).pk for number in range(count)]

    def _make(self, number: int, who: Psychologist, now: datetime) -> Booking:
        start = now - timedelta(hours=2 * number)
        return make_booking(
            State.CONFIRMED, now=now, email=f"due{number}@bench.example", psychologist=who,
            slot_start=start, slot_end=start + timedelta(hours=1), due_at=now,
        )  # fmt: skip

    def again(self) -> None:
        """As before any of them was swept; the ledger remembers."""
        past = timezone.now() - timedelta(minutes=1)
        rows = Booking.objects.filter(pk__in=self.ids)
        rows.update(state=State.CONFIRMED, due_at=past, closed_at=None)
        SlotClaim.objects.filter(booking__in=self.ids).delete()
        held = rows.values_list("pk", "psychologist", "slot_start", "slot_end")
        SlotClaim.objects.bulk_create(
            SlotClaim(booking_id=one, psychologist_id=who, blocked_from=start, blocked_until=end)
            for one, who, start, end in held
        )

    def left(self) -> int:
        return Booking.objects.filter(pk__in=self.ids, state=State.CONFIRMED).count()


def _swept(run: Run, due: Due, sweep_once: Callable[[], object]) -> Swept:
    """Some times, since once is over in a twentieth of a second."""
    each = [_swept_once(run, due, sweep_once) for _ in range(run.many(TIMES))]
    return Swept(*(sum(values) for values in zip(*map(astuple, each), strict=True)))


def _swept_once(run: Run, due: Due, sweep_once: Callable[[], object]) -> Swept:
    due.again()
    meter = CpuMeter(database=run.groups()["database"])
    began, cpu = time.perf_counter(), time.process_time()
    while due.left():
        sweep_once()
    seconds, own_cpu = time.perf_counter() - began, time.process_time() - cpu
    return Swept(len(due.ids), seconds, own_cpu, meter.spent()["database"])
