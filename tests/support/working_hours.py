"""Psychologists who work: rows of hours, time off, claims and wishes, as short as tests like them."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from backend.bookings.machine import State
from backend.bookings.models import Booking, SlotClaim
from backend.people.models import HoursMode, Psychologist, TimeOff, WorkingHours
from tests.support import factories, scenarios

ALL_WEEK = range(7)
KOLKATA = ZoneInfo("Asia/Kolkata")
WEDNESDAY = date(2026, 11, 25)  # `now` is Monday the 23rd


def at(clock: str, day: date = WEDNESDAY, zone: ZoneInfo = KOLKATA) -> datetime:
    """This time of day in the practice's zone."""
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=zone)


def psychologist(name: str = "Dr. Meera Iyer", *, hours: str = "10:00 18:00", **fields: object) -> Psychologist:
    """Someone who works every day of the week at these hours, online, in the practice's zone. `hours`: "" for none."""
    who = scenarios.psychologist(name, **fields)
    if hours:
        weekly(who, hours)
    return who


def weekly(
    who: Psychologist, hours: str, weekdays: range | tuple[int, ...] = ALL_WEEK, offers: HoursMode = HoursMode.ONLINE
) -> None:
    """`hours` as in "10:00 18:00"."""
    starts_at, ends_at = map(time.fromisoformat, hours.split())
    WorkingHours.objects.bulk_create(
        WorkingHours(psychologist=who, weekday=day, starts_at=starts_at, ends_at=ends_at, offers=offers)
        for day in weekdays
    )


def extra(who: Psychologist, day: date, hours: str, **fields: object) -> WorkingHours:
    """Hours of one day."""
    starts_at, ends_at = map(time.fromisoformat, hours.split())
    return WorkingHours.objects.create(psychologist=who, day=day, starts_at=starts_at, ends_at=ends_at, **fields)


def away(who: Psychologist, start: datetime, end: datetime) -> TimeOff:
    """Time off."""
    return TimeOff.objects.create(psychologist=who, starts_at=start, ends_at=end)


def held(who: Psychologist, start: datetime, until: datetime) -> SlotClaim:
    """Time that somebody's booking holds, its pause included."""
    booking = factories.make_booking(State.PENDING, now=start, origin="staff")
    return SlotClaim.objects.create(psychologist=who, booking=booking, blocked_from=start, blocked_until=until)


def wish(who: Psychologist | None, start: datetime | None, *, now: datetime, **fields: object) -> Booking:
    """A pending request for this slot."""
    given = {"preferred_psychologist": who, "preferred_slot_start": start, "origin": "staff", **fields}
    return factories.make_booking(State.PENDING, now=now, **given)


def asked(*, now: datetime, email: str = scenarios.ASHA, **changes: object) -> Booking:
    """A request for Wednesday morning, unless `changes` say otherwise."""
    return scenarios.pending(email, now=now, **{"preferred_date": WEDNESDAY, **changes})
