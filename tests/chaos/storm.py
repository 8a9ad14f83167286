"""One storm from beginning to calm, over our stack."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.contrib.auth import get_user_model
from django.db import Error, connection
from django.utils import timezone
from kombu.exceptions import OperationalError

from backend.bookings.models import Booking, ClosedDay
from backend.outbox import attempts
from backend.outbox.models import Message
from backend.people.models import Psychologist
from config import schedule
from tests.chaos import books, checker, door, gateways, measures, rooms
from tests.chaos.bank import Pages, Sandbox
from tests.chaos.deadlines import Deadlines
from tests.chaos.fault_injector import FaultInjector
from tests.chaos.faults import Fault
from tests.chaos.figures import Figure, none_of
from tests.chaos.journal import Journal
from tests.chaos.paying import PageVisit, Payer
from tests.chaos.rounds import Rounds
from tests.chaos.signs_of_life import SignsOfLife, name_of
from tests.chaos.stack import Stack
from tests.chaos.traffic import CROWD, Traffic, Visit, World
from tests.support import staff_api
from tests.support.repeating import Repeating
from workers.app import app

# seconds after the last fault: whatever was owed is done or dead, even what a worker that was killed had claimed
CALM_WITHIN = attempts.LEASE.total_seconds() + 30
SLOW_CALM_WITHIN = 240.0  # the same where no time is asserted
STORIES_END_WITHIN = 100.0  # seconds; the longest chain of deadlines that a visitor leaves behind


class TwiceMore(Repeating):
    """Sends every wake-up of the schedule twice more, so that with beat's own each comes three times."""

    def turn(self) -> None:
        for task, every in schedule.TABLE.values():
            if every <= schedule.DRAIN_EVERY:
                self._send(task)

    def _send(self, task: str) -> None:
        for _ in range(2):
            try:
                app.send_task(task, retry=False)
            except (OperationalError, OSError):
                return


def prepared(stack: Stack, journal: Journal) -> World:
    """Someone who works at the desk, and psychologists whose every day is open."""
    ClosedDay.objects.all().delete()
    link = "https://meet.example.org/room"
    people = [
        Psychologist.objects.create(full_name=f"Dr. {n}", email=f"dr{n}@example.org", meeting_link=link)
        for n in range(12)
    ]
    user = get_user_model().objects.create_superuser("storm", "storm@example.org", "irrelevant here")
    return World(stack, journal, staff_api.token(user), [person.pk for person in people], _bank(stack, journal))


def _bank(stack: Stack, journal: Journal) -> Sandbox | Pages:
    if not gateways.has_pages(stack.gateway):
        return Sandbox(stack.gateway_url, stack.environment["SANDBOX_SECRET"])
    return Pages(stack.gateway_url, journal, takes_money_late=stack.gateway == "razorpay")


def wait_until_mail_flows(world: World) -> None:
    """The whole way works once: a draft's mail was accepted."""
    visit = Visit(world, 0)
    visit.submit()
    world.stack.wait_until(lambda: bool(world.stack.mails_to(visit.address)), "the first mail")


def ride(
    stack: Stack,
    world: World,
    faults: list[Fault],
    seconds: float,
    *,
    is_timed: bool,
    provider: rooms.Provider | None = None,
) -> list[Figure]:
    """Traffic and faults for `seconds`, then calm, then the verdict; without `is_timed` no figure depends on speed."""
    journal = world.journal
    has_pages = gateways.has_pages(stack.gateway)
    traffic = Traffic(world, _crowd(is_timed=is_timed) if has_pages else {Visit: CROWD})
    deadlines, twice_more, rounds = Deadlines(), TwiceMore(), Rounds()
    signs = SignsOfLife(name_of(part.name) for part in stack.named("worker-"))
    deadlines.start()
    signs.start()
    twice_more.start()
    rounds.start()
    began = time.monotonic()
    if provider is not None:
        provider.let_loose(stack.seed, seconds)
    try:
        FaultInjector(stack, journal).blow(faults)
        time.sleep(max(0.0, began + seconds - time.monotonic()))
        ended_at = timezone.now()
    finally:  # Python waits for its threads, also when it is told to end
        traffic.stop()
    connection.close()  # PostgreSQL restarted since it was opened
    if provider is not None:
        provider.settle()
    calm = _calm(ended_at, CALM_WITHIN if is_timed else SLOW_CALM_WITHIN)
    _last_deadlines(stack, rounds)
    twice_more.stop()
    deadlines.turn()
    deadlines.stop()
    rounds.stop()
    heard = [signs.figure(journal)] if is_timed else []
    signs.stop()
    return [
        Figure("faults injected", str(len(journal.faults))),
        *checker.check(stack, journal),
        none_of("reports of the gateway never taken", books.untaken(stack)),
        *(rounds.figures(journal) if has_pages else []),
        *(rooms.figures(provider, is_timed=is_timed) if provider is not None else []),
        calm,
        *heard,
        *measures.requests_in_storm(journal, is_timed=is_timed),
        measures.waits(stack),
        spread_of(deadlines),
        *measures.recovery(stack, journal),
    ]


def _crowd(*, is_timed: bool) -> dict[type[Visit], int]:
    """Visitors of a gateway with pages: some go the whole way, and as many payments as may be come beside."""
    return {PageVisit: 4, Payer: 24} if is_timed else {PageVisit: 4, Payer: 4}


def spread_of(deadlines: Deadlines) -> Figure:
    return measures.spread("lateness of deadlines p50 / p99 / max", deadlines.lateness())


def _calm(ended_at: datetime, within: float) -> Figure:
    """Wait until nothing is left of what was owed when the faults ended, as long as it may take.

    What was looked at and put off waits for others: a page that a worker may be making, a bank that gives back.
    """
    name = f"effects neither done nor dead {within:.0f} s after the faults"
    deadline = ended_at + timedelta(seconds=within)
    while True:
        left = list(
            Message.objects.filter(
                state="waiting", is_snoozed=False, not_before__lte=ended_at, created_at__lte=ended_at
            ).values_list("queue", "kind", "attempts", "last_error")
        )
        if not left or timezone.now() >= deadline:
            return none_of(name, [str(row) for row in left])
        time.sleep(0.5)


def _last_deadlines(stack: Stack, rounds: Rounds) -> None:
    """Wait until every deadline that passes soon has been kept, what it owed has left, the gateway has told all, and
    our books were compared with it once more."""
    ended_at = time.time()
    if gateways.has_pages(stack.gateway):
        door.tell(stack.gateway_url, "finish_refunds").raise_for_status()
    give_up_at = time.monotonic() + STORIES_END_WITHIN
    while time.monotonic() < give_up_at:
        now = timezone.now()
        try:
            soon = Booking.objects.filter(due_at__lte=now + timedelta(seconds=60)).exists()
            owed = Message.objects.filter(state="waiting", is_snoozed=False, not_before__lte=now).exists()
        except Error:
            connection.close()
            continue
        is_compared = not gateways.has_pages(stack.gateway) or rounds.first_after(ended_at) is not None
        if not soon and not owed and is_compared and not books.untaken(stack):
            return
        time.sleep(0.5)
