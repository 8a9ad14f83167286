"""Who sponsors a session: named by a code or an address, reserved at approval, given back when it is not used.

A month is the session's, in the practice's zone. What a month has left is counted under the sponsor's lock, so that two
approvals cannot take the last session; that lock comes after the bookings' and before the payments'.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from django.db.models import QuerySet

from backend.bookings.models import Booking
from backend.core.compiled_queries import Given, compiled
from backend.core.errors import Code, Refused, required
from backend.core.formatting import practice_zone
from backend.people.models import Corporate

MONTHS_AHEAD = 3  # this one and those in which most sessions are; staff see what each has left


class CoverageGap(StrEnum):
    """Why a sponsor does not cover a session; completes "the sponsor does not cover it: …"."""

    INACTIVE = "it is switched off"
    NOT_BEGUN = "its contract begins later"
    ENDED = "its contract ends before"
    USED_UP = "its sessions of that month are used up"


@dataclass(frozen=True)
class SponsorMonth:
    """What a sponsor's month has; `left` is None without a limit, `gap` None if one more session is covered."""

    first_day: date
    used: int
    left: int | None
    gap: CoverageGap | None


def find_sponsor(booking: Booking) -> Corporate | None:
    """The corporate that the visitor's code names, else the one whose domain the proved address is in."""
    by_code = Corporate.objects.filter(code=booking.sponsor_code).first() if booking.sponsor_code else None
    found: Corporate | None = by_code or _with_domain.first(domain=booking.email.rpartition("@")[2])
    return found


@compiled
def _with_domain() -> QuerySet[Corporate]:
    return Corporate.objects.filter(domains__domain=Given("domain"))[:1]


def outlook(corporate: Corporate, *, now: datetime) -> list[SponsorMonth]:
    """This month and the next ones, for staff before they approve; nothing is locked."""
    today = _day(now)
    firsts = [_first_day(today, months_later=n) for n in range(MONTHS_AHEAD)]
    return [_month(corporate, max(first, today)) for first in firsts]


def reserve(booking: Booking, slot_start: datetime) -> None:
    """Take one session from the allowance of the booking's sponsor; the caller saves `sponsored_month`.

    Refuses: sponsor_does_not_cover, with `why`.
    """
    corporate = _lock(required(booking.corporate_id, "corporate_id", booking))
    month = _month(corporate, _day(slot_start), besides=booking)
    if month.gap is not None:
        raise Refused(Code.SPONSOR_DOES_NOT_COVER, why=month.gap.value)
    booking.sponsored_month, booking.sponsorship_returned_at = month.first_day, None


def move(booking: Booking, slot_start: datetime) -> None:
    """The session's new day counts in its own month, also if we missed the old one. The caller saves.

    Refuses: month_not_sponsored.
    """
    if booking.sponsored_month is None or booking.corporate_id is None:
        return
    month = _month(_lock(booking.corporate_id), _day(slot_start), besides=booking)
    if month.gap is not None:
        raise Refused(Code.MONTH_NOT_SPONSORED)
    booking.sponsored_month, booking.sponsorship_returned_at = month.first_day, None


def return_session(booking: Booking, *, now: datetime) -> date | None:
    """The allowance has the session back, if it held one; the month that has it. The caller saves."""
    if booking.sponsored_month is None or booking.sponsorship_returned_at is not None:
        return None
    booking.sponsorship_returned_at = now
    return booking.sponsored_month


def reserve_again(booking: Booking) -> date | None:
    """The session was held after all; the month that it is taken from, if it was given back.

    Not refused even if others had the last one since: it did take place.
    """
    if booking.sponsored_month is None or booking.sponsorship_returned_at is None or booking.corporate_id is None:
        return None
    _lock(booking.corporate_id)
    booking.sponsorship_returned_at = None
    return booking.sponsored_month


def lock(corporate_ids: Iterable[int]) -> None:
    """Those of several sessions, in order of id, before each is asked for alone."""
    for corporate_id in sorted(corporate_ids):
        _lock(corporate_id)


def _lock(corporate_id: int) -> Corporate:
    """Locked until commit; not against rows that only refer to it, which would be another order of locks."""
    return Corporate.objects.select_for_update(no_key=True).get(pk=corporate_id)


def _month(corporate: Corporate, day: date, *, besides: Booking | None = None) -> SponsorMonth:
    """How `day` and its month stand."""
    first_day = _first_day(day)
    held = Booking.objects.filter(corporate=corporate, sponsored_month=first_day, sponsorship_returned_at=None)
    used = held.exclude(pk=besides.pk).count() if besides is not None else held.count()
    limit = corporate.sessions_a_month
    left = None if limit is None else max(0, limit - used)
    return SponsorMonth(first_day, used, left, _gap(corporate, day, left))


def _gap(corporate: Corporate, day: date, left: int | None) -> CoverageGap | None:
    if not corporate.is_active:
        return CoverageGap.INACTIVE
    if corporate.starts_on is not None and day < corporate.starts_on:
        return CoverageGap.NOT_BEGUN
    if corporate.ends_on is not None and day > corporate.ends_on:
        return CoverageGap.ENDED
    return CoverageGap.USED_UP if left == 0 else None


def _day(at: datetime) -> date:
    return at.astimezone(practice_zone()).date()


def _first_day(day: date, *, months_later: int = 0) -> date:
    years, month = divmod(day.month - 1 + months_later, 12)
    return date(day.year + years, month + 1, 1)
