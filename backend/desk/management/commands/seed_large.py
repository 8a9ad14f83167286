"""Fills a practice with 100,000 bookings to measure pages on; for no other use.

The rows are written past the lifecycle, in bulk: they stand as years of work would leave them and keep every constraint
of the database, but no mail was owed for them, and what is open of them will lapse as real bookings do.
"""

from __future__ import annotations

import random
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.db import connection, transaction
from django.utils import timezone

from backend.bookings import policy
from backend.bookings.guarantees import held_session
from backend.bookings.intents import Intent
from backend.bookings.machine import FINAL, HOLDS_SLOT, TAKES_PLACE, Reason, State
from backend.bookings.models import Booking, Gender, LedgerEntry, Mode, Origin, Outcome, PaymentMode, Period, SlotClaim
from backend.core.commands import ReleasedCommand
from backend.outbox.models import Message, MessageState, Queue
from backend.payments.models import Payment, PaymentState
from backend.people.models import Client, Corporate, HoursMode, Psychologist, WorkingHours

COUNT = 100_000
PSYCHOLOGISTS = 40
BATCH = 5_000  # rows of a kind held in memory
DOMAIN = "@large.example"
HOURS = (4, 6, 8, 10, 12)  # UTC, when sessions start; two apart, so that none overlaps another's pause
EVERY = timedelta(minutes=6)  # between two requests
AHEAD = timedelta(days=4)  # from a request to its session, where it took place
# of a thousand bookings; the rest are completed
SHARES = {
    State.DRAFT: 2,
    State.PENDING: 3,
    State.APPROVED: 2,
    State.PAYMENT_PENDING: 1,
    State.CONFIRMED: 14,
    State.REJECTED: 40,
    State.CANCELLED: 120,
    State.PAYMENT_FAILED: 18,
}
FIRST = ("Asha", "Ravi", "Nisha", "Arjun", "Meera", "Kabir", "Divya", "Rohan", "Leela", "Vikram", "Priya", "Imran")
LAST = ("Rao", "Sharma", "Iyer", "Khan", "Das", "Kulkarni", "Mehta", "Nair", "Singh", "Pillai", "Joshi", "Fernandes")
CITIES = ("Bengaluru", "Pune", "Chennai", "Mumbai", "Kochi", "Delhi")
REASONS = {
    State.REJECTED: Reason.DECLINED,
    State.CANCELLED: Reason.BY_STAFF,
    State.PAYMENT_FAILED: Reason.PAYMENT_TIMED_OUT,
}


class Command(ReleasedCommand):
    help = "Add 100,000 bookings to measure pages on. Never on a practice that works."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--count", type=int, default=COUNT)

    def handle(self, *_args: Any, count: int, **_options: Any) -> None:
        if Client.objects.filter(email__endswith=DOMAIN).exists():
            raise CommandError("This practice is large already.")
        practice = _practice(count, now=timezone.now())
        for first in range(0, count, BATCH):
            with transaction.atomic():
                _write(practice, range(first, min(first + BATCH, count)))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        self.stdout.write(f"made {count} bookings of {PSYCHOLOGISTS} psychologists")


@dataclass
class Practice:
    """What the bookings share, and which slots are given already."""

    psychologists: list[Psychologist]
    corporates: list[Corporate]
    count: int  # of bookings, the last of which was made just now
    now: datetime
    chance: random.Random
    ahead: Iterator[tuple[Psychologist, datetime]]
    past: Iterator[tuple[Psychologist, datetime]]


def _practice(count: int, *, now: datetime) -> Practice:
    people = Psychologist.objects.bulk_create(
        Psychologist(full_name=f"Dr. Large {n:02}", email=f"p{n}{DOMAIN}", meeting_link=f"https://meet.example.org/{n}")
        for n in range(PSYCHOLOGISTS)
    )
    WorkingHours.objects.bulk_create(
        WorkingHours(psychologist=who, weekday=day, starts_at=time(9), ends_at=time(19), offers=HoursMode.BOTH)
        for who in people
        for day in range(6)
    )
    corporates = Corporate.objects.bulk_create(Corporate(name=f"Large {n} Ltd") for n in range(8))
    chance = random.Random(7)  # noqa: S311 -- repeatable rows, no secret
    return Practice(people, corporates, count, now, chance, _slots(people, now, 1), _slots(people, now, -1))


def _slots(people: list[Psychologist], now: datetime, step: int) -> Iterator[tuple[Psychologist, datetime]]:
    """Every slot once, day by day from tomorrow on, or from yesterday back."""
    day = now.astimezone(UTC).date()
    while True:
        day += timedelta(days=step)
        for hour in HOURS:
            for who in people:
                yield who, datetime.combine(day, time(hour), tzinfo=UTC)


def _write(practice: Practice, numbers: range) -> None:
    clients = Client.objects.bulk_create(
        Client(email=f"v{n}{DOMAIN}", full_name=_name(n), created_at=practice.now) for n in numbers
    )
    bookings = Booking.objects.bulk_create(
        _booking(practice, number, client) for number, client in zip(numbers, clients, strict=True)
    )
    LedgerEntry.objects.bulk_create(entry for booking in bookings for entry in _ledger(booking))
    SlotClaim.objects.bulk_create(_claim(booking) for booking in bookings if booking.state in HOLDS_SLOT)
    Payment.objects.bulk_create(_payment(booking) for booking in bookings if booking.state in TAKES_PLACE)
    Message.objects.bulk_create(_message(booking) for booking in bookings)


def _name(number: int) -> str:
    return f"{FIRST[number % len(FIRST)]} {LAST[number // len(FIRST) % len(LAST)]}"


def _state(practice: Practice) -> State:
    drawn = practice.chance.randrange(1000)
    for state, share in SHARES.items():
        drawn -= share
        if drawn < 0:
            return state
    return State.COMPLETED


def _booking(practice: Practice, number: int, client: Client) -> Booking:
    state, chance, now = _state(practice), practice.chance, practice.now
    age = (practice.count - number) * EVERY if state in FINAL else timedelta(minutes=number % 600)
    booking = Booking(
        acknowledgement_id=_id(number),
        state=state,
        origin=Origin.VISITOR,
        client=client,
        email=client.email,
        full_name=client.full_name,
        phone_number=f"+919{chance.randrange(10**9):09}",
        city=chance.choice(CITIES),
        region="Karnataka",
        country="India",
        age=chance.randrange(18, 70),
        gender=chance.choice(Gender.values),
        preferred_period=chance.choice((Period.MORNING, Period.EVENING)),
        mode=chance.choice(Mode.values),
        payment_mode=chance.choice(PaymentMode.values),
        created_at=now - age,
        verified_at=None if state == State.DRAFT else now - age,
        ledger_sequence=1 if state == State.DRAFT else 2,
        preferred_date=(now + timedelta(days=chance.randrange(1, 20))).date(),
    )
    _settle(practice, booking)
    return booking


def _settle(practice: Practice, booking: Booking) -> None:
    """The slot, and the deadline or the end."""
    state, now = State(booking.state), practice.now
    if state in HOLDS_SLOT or state == State.COMPLETED:
        booking.psychologist, start = next(practice.past if state == State.COMPLETED else practice.ahead)
        booking.slot_start, booking.slot_end = start, start + timedelta(hours=1)
        booking.preferred_date = start.date()
        booking.amount_paise, booking.pay_by = 150_000, now + timedelta(hours=20)
        booking.meeting_link = booking.psychologist.meeting_link if booking.mode == Mode.ONLINE else ""
    if state == State.COMPLETED:
        booking.created_at = booking.verified_at = held_session(booking).start - AHEAD
        booking.outcome = practice.chance.choice(Outcome.values)
        is_sponsored = practice.chance.random() < 0.1
        booking.corporate = practice.chance.choice(practice.corporates) if is_sponsored else None
    if state in FINAL:
        booking.closed_at, booking.reason = booking.slot_end or now, REASONS.get(state, "")
    elif state == State.CONFIRMED:
        booking.due_at = policy.completion(held_session(booking).end)
    else:
        booking.due_at = now + timedelta(minutes=practice.chance.randrange(30, 72 * 60))


def _id(number: int) -> str:
    """`MS-` and six digits that no other number has: below a million they suffice."""
    return f"MS-{number:06}"


def _ledger(booking: Booking) -> Iterator[LedgerEntry]:
    steps = ((Intent.SUBMIT_DRAFT, "", State.DRAFT), (Intent.SEED_LARGE, State.DRAFT, State(booking.state)))
    for sequence, (intent, source, target) in enumerate(steps[: booking.ledger_sequence], start=1):
        yield LedgerEntry(
            booking=booking, sequence=sequence, at=booking.created_at, intent=intent, source=source, target=target,
            actor="seed_large",
        )  # fmt: skip


def _claim(booking: Booking) -> SlotClaim:
    session = held_session(booking)
    until = session.end + policy.SLOT_BUFFER
    return SlotClaim(
        booking=booking, psychologist=booking.psychologist, blocked_from=session.start, blocked_until=until
    )


def _payment(booking: Booking) -> Payment:
    return Payment(
        booking=booking, reference=f"LARGE-{booking.acknowledgement_id}", gateway="sandbox", amount_paise=150_000,
        currency=policy.CURRENCY, state=PaymentState.CAPTURED, captured_paise=150_000,
        captured_currency=policy.CURRENCY, started_at=booking.created_at, captured_at=booking.created_at,
        closed_at=booking.created_at,
    )  # fmt: skip


def _message(booking: Booking) -> Message:
    """A mail that was sent."""
    at = booking.created_at
    return Message(
        queue=Queue.MAIL, kind="booking_received", dedupe_key=f"large:{booking.acknowledgement_id}",
        booking_id=booking.pk, ledger_sequence=1, recipient=booking.email, state=MessageState.DONE, not_before=at,
        next_attempt_at=at, settled_at=at, blanked_at=at, created_at=at,
    )  # fmt: skip
