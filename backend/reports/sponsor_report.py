"""What a sponsor may know: sums of months that are over, and no sum that speaks of fewer than five people.

A sum of sessions is shown if at least PEOPLE_LEAST people stand behind it, and behind what remains of the month's
sessions when all shown parts are taken away: so no subtraction leads to fewer. A month is told once nothing in it can
change any more, so that two reports never differ by one person; and there are no sums over months.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeAlias

from django.db.models import TextChoices

from backend.bookings import policy
from backend.bookings.machine import Reason, State
from backend.bookings.models import Booking, Outcome
from backend.core.errors import required
from backend.core.formatting import practice_zone
from backend.people.models import Corporate

PEOPLE_LEAST = 5  # with fewer, somebody at the sponsor's could tell who it was


class Untold(TextChoices):
    """Why a sum is not told, for programs and for people."""

    FEW = "few_people", f"fewer than {PEOPLE_LEAST}"
    WITHHELD = "rest_would_tell", "not shown"  # it is large enough; the rest of the month, by subtraction, is not


Sum: TypeAlias = int | Untold  # of sessions


class Part(StrEnum):
    """What became of a reserved session; the parts make up the month, and stand in the order in which they are told."""

    HELD = "held"
    NO_SHOW = "not attended"
    CANCELLED_LATE = "cancelled late"
    RETURNED = "cancelled in time, or by us"


@dataclass(frozen=True)
class SponsorMonthReport:
    """One month: how many sessions were reserved and what became of them, as numbers or as why there is none."""

    first_day: date
    reserved: Sum
    parts: dict[Part, Sum]


def report(corporate: Corporate, *, now: datetime) -> list[SponsorMonthReport]:
    """The months that are closed and had a session, newest first."""
    rows = (
        Booking.objects.filter(corporate=corporate, sponsored_month__isnull=False)
        .only("client", "email", "state", "reason", "outcome", "sponsored_month", "sponsorship_returned_at")
        .order_by("-sponsored_month", "pk")
    )
    months: dict[date, list[Booking]] = {}
    for booking in rows:
        months.setdefault(required(booking.sponsored_month, "sponsored_month", booking), []).append(booking)
    return [_month(first_day, bookings) for first_day, bookings in months.items() if _is_closed(first_day, now=now)]


def lines(months: Iterable[SponsorMonthReport]) -> Iterator[list[str]]:
    """The report as rows of text, the first of them the names of the columns."""
    yield ["month", "reserved", *Part]
    for month in months:
        yield [f"{month.first_day:%Y-%m}", *(_shown(told) for told in (month.reserved, *month.parts.values()))]


def _shown(told: Sum) -> str:
    return str(told.label) if isinstance(told, Untold) else str(told)


def _is_closed(first_day: date, *, now: datetime) -> bool:
    """No session of the month can be held, recorded or corrected any more."""
    next_first = (first_day + timedelta(days=31)).replace(day=1)
    over = datetime.combine(next_first, time(), tzinfo=practice_zone())
    return now >= over + policy.SESSION_LONGEST + max(policy.OUTCOME_OPEN_FOR, policy.COMPLETE_AFTER)


def _month(first_day: date, bookings: list[Booking]) -> SponsorMonthReport:
    parts = {part: [booking for booking in bookings if _part(booking) is part] for part in Part}
    if _people(bookings) < PEOPLE_LEAST:
        return SponsorMonthReport(first_day, Untold.FEW, dict.fromkeys(Part, Untold.FEW))
    told: dict[Part, Sum] = {}
    rest = bookings
    for part, sessions in parts.items():
        without = [booking for booking in rest if booking not in sessions]
        if _people(sessions) < PEOPLE_LEAST:
            told[part] = Untold.FEW
        elif _people(without) < PEOPLE_LEAST:
            told[part] = Untold.WITHHELD
        else:
            told[part], rest = len(sessions), without
    return SponsorMonthReport(first_day, len(bookings), told)


def _part(booking: Booking) -> Part:
    if booking.sponsorship_returned_at is not None:
        return Part.RETURNED
    if booking.state == State.CANCELLED and booking.reason == Reason.CANCELLED_LATE:
        return Part.CANCELLED_LATE
    return Part.NO_SHOW if booking.outcome == Outcome.NO_SHOW else Part.HELD


def _people(bookings: list[Booking]) -> int:
    return len({booking.client_id for booking in bookings})
