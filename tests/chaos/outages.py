"""What is measured when the storm is over: answers while Redis is away, and deadlines while beat was away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

from django.utils import timezone

from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry
from backend.outbox.models import Message
from tests.chaos.figures import Figure, at_most, none_of, percentile, spread
from tests.chaos.journal import Journal, Request
from tests.chaos.process import Part
from tests.chaos.stack import Stack
from tests.chaos.traffic import Caller, World
from tests.demo.site import form
from tests.support import scenarios
from tests.support.clients import forwarded_for

EACH_FOR = 8.0  # seconds
CALLERS = 2
PAUSE = 0.1  # seconds between two requests of one caller
P99_MS = 200.0
AWAY_FOR = timedelta(hours=1)
KEPT_WITHIN = 60.0  # seconds after beat's return


# -- requests ----------------------------------------------------------------------------------------------------------


def requests_by_broker(stack: Stack, world: World) -> list[Figure]:
    """p50 and p99 of requests with Redis up, refused and frozen, and how many failed."""
    figures = []
    for name, away in (("up", _nothing), ("refused", _refused), ("frozen", _frozen)):
        with away(stack.parts["broker"]):
            answers = _asked(stack, world, name)
        _settle()  # workers come back and send what waited; that is no part of the next measure
        took = [request.took * 1000 for request in answers]
        p50, p99 = percentile(took, 0.5), percentile(took, 0.99)
        figures += [
            Figure(f"request p50 with Redis {name}", f"{p50:.0f} ms ({len(took)})"),
            at_most(f"request p99 with Redis {name}", round(p99), P99_MS, "ms"),
            none_of(f"requests failed with Redis {name}", [str(request) for request in answers if request.failed]),
        ]
    return figures


def _asked(stack: Stack, world: World, name: str) -> list[Request]:
    """Drafts and look-ups, at the pace of a busy day."""
    journal = Journal()
    known = Booking.objects.exclude(verified_at=None).values_list("acknowledgement_id", flat=True)[0]

    def ask(number: int) -> None:
        caller, ends, count = Caller(stack.url, journal), time.monotonic() + EACH_FOR, 0
        while time.monotonic() < ends:
            count += 1
            address = f"{name}{number}-{count}@example.org"
            caller.once("POST", "/api/bookings/draft/", json=form(address, "Asha Rao"), headers=forwarded_for(address))
            time.sleep(PAUSE)
            caller.once("GET", "/api/bookings/check-status/", params={"acknowledgement_id": known})
            time.sleep(PAUSE)

    with ThreadPoolExecutor(CALLERS) as many:
        list(many.map(ask, range(CALLERS)))
    return journal.requests


def _settle() -> None:
    """Wait until nothing that is due has not left."""
    deadline = time.monotonic() + KEPT_WITHIN
    while Message.objects.filter(state="waiting", not_before__lte=timezone.now()).exists():
        if time.monotonic() > deadline:
            return
        time.sleep(0.5)


@contextmanager
def _nothing(_broker: Part) -> Iterator[None]:
    yield


@contextmanager
def _refused(broker: Part) -> Iterator[None]:
    broker.hold()
    try:
        yield
    finally:
        broker.release()


@contextmanager
def _frozen(broker: Part) -> Iterator[None]:
    broker.freeze()
    try:
        yield
    finally:
        broker.thaw()


# -- an hour without beat ----------------------------------------------------------------------------------------------


def beat_away(stack: Stack) -> list[Figure]:
    """Deadlines that passed while no beat ran, moved back by an hour instead of waited for; each is kept once."""
    beats = stack.named("beat")
    for beat in beats:
        beat.hold()
    overdue = _overdue(stack)
    returned_at = timezone.now()
    for beat in beats:
        beat.release()
    deadline = time.monotonic() + KEPT_WITHIN
    while Booking.objects.filter(pk__in=overdue, due_at__lte=returned_at).exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    left = [
        str(pk) for pk in Booking.objects.filter(pk__in=overdue, due_at__lte=returned_at).values_list("pk", flat=True)
    ]
    kept = LedgerEntry.objects.filter(booking__in=overdue, at__gte=returned_at, actor="timer")
    times = {pk: kept.filter(booking=pk).count() for pk in overdue}
    late = [(entry.at - returned_at).total_seconds() for entry in kept]
    return [
        spread("lateness after an hour without beat, beyond the hour", late),
        none_of(f"of {len(overdue)} deadlines not kept {KEPT_WITHIN:.0f} s after beat's return", left),
        none_of("of them kept twice", [str(pk) for pk, count in times.items() if count > 1]),
    ]


def _overdue(stack: Stack) -> list[int]:
    """Ten bookings in each state that only time ends, due an hour ago."""
    now = timezone.now()
    makers: tuple[Callable[..., Booking], ...] = (
        scenarios.submitted,
        scenarios.pending,
        scenarios.approved,
        scenarios.confirmed,
    )
    made = []
    for number in range(10):
        for maker in makers:
            address = f"{maker.__name__}{number}@example.org"
            apart = (
                {} if maker in (scenarios.submitted, scenarios.pending) else {"at": now + timedelta(days=2 + number)}
            )
            made.append(maker(address, now=now, **apart).pk)
    Booking.objects.filter(pk__in=made).exclude(state=State.CANCELLED).update(due_at=now - AWAY_FOR)
    return made
