"""A practice of 50 psychologists with 20,000 claims in one month, to see what a search of it costs.

The claims are written past the lifecycle: their bookings are rows that nothing else looks at.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, time, timedelta

from backend.bookings.models import Booking, SlotClaim
from backend.people.models import HoursMode, Psychologist, WorkingHours
from backend.scheduling.free_slots import FreeSlot, SlotSearch, free_slots

PSYCHOLOGISTS, DAYS, CLAIMS = 50, 31, 20_000
ZONES = ("Asia/Kolkata", "America/New_York", "Europe/London", "")
FIRST = datetime(2026, 10, 12, tzinfo=UTC)  # both Western zones change their clocks within the month


def fill(claims: int = CLAIMS) -> None:
    """Hours from 06:00 to 22:00 with a break, and claims of 15 minutes spread over nights and days."""
    people = Psychologist.objects.bulk_create(
        Psychologist(full_name=f"Dr. {n}", email=f"p{n}@example.org", time_zone=ZONES[n % 4])
        for n in range(PSYCHOLOGISTS)
    )
    WorkingHours.objects.bulk_create(
        WorkingHours(
            psychologist=who, weekday=weekday, starts_at=time(first), ends_at=time(last), offers=HoursMode.ONLINE
        )
        for who in people
        for weekday in range(7)
        for first, last in ((6, 13), (14, 22))
    )
    _claim(people, claims)


def _claim(people: list[Psychologist], claims: int) -> None:
    each = claims // PSYCHOLOGISTS
    places = random.Random(7)
    starts = [FIRST + timedelta(minutes=15 * n) for n in range(DAYS * 24 * 4)]
    held = [(who, start) for who in people for start in sorted(places.sample(starts, each))]
    bookings = Booking.objects.bulk_create(
        Booking(
            acknowledgement_id=f"MS-{n:06d}",
            preferred_date=start.date(),
            state="CONFIRMED",
            created_at=FIRST,
            due_at=start + timedelta(days=1),
        )
        for n, (_, start) in enumerate(held)
    )
    SlotClaim.objects.bulk_create(
        SlotClaim(psychologist=who, booking=booking, blocked_from=start, blocked_until=start + timedelta(minutes=15))
        for booking, (who, start) in zip(bookings, held, strict=True)
    )


def search() -> list[FreeSlot]:
    """All of it."""
    now = FIRST - timedelta(days=2)
    return free_slots(SlotSearch(FIRST, FIRST + timedelta(days=DAYS)), now=now)
