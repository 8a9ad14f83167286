"""Which times may be had, and which are offered: the arithmetic of docs/decisions/008, written down once more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import NamedTuple

from backend.core.errors import Code
from tests.model.invariants import BUFFER
from tests.model.snapshot import Row, Snapshot

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
KOLKATA = timezone(timedelta(hours=5, minutes=30))  # the practice's zone has no summer time
OPENS, CLOSES = timedelta(hours=10), timedelta(hours=18)  # every day, of the one who has hours
LATEST_OF_DAY = 6  # sessions of an hour and their pauses between these two
PAYING_TAKES = timedelta(minutes=30)  # what is to be paid online cannot begin sooner
OFFERED_FROM, OFFERED_UNTIL = timedelta(hours=24), timedelta(days=60)
PERIODS = {"MORNING": (6, 12), "EVENING": (16, 22)}


class People(NamedTuple):
    """The three psychologists of the model, by id."""

    anywhere: int  # online and in person, at whatever time staff say
    online_only: int
    by_hours: int  # both, from OPENS to CLOSES


class Span(NamedTuple):
    """A psychologist's time, half-open."""

    psychologist_id: int
    start: datetime
    end: datetime

    def meets(self, other: Span) -> bool:
        """Whether they share any of it."""
        return self.psychologist_id == other.psychologist_id and self.start < other.end and other.start < self.end


@dataclass
class Availability:
    """What stands in the way of a session. A rule that books several things writes each into its own copy."""

    people: People
    now: datetime
    held: dict[int, Span]  # by booking, pauses included
    wishes: dict[int, Span]  # of requests that wait, by booking
    off: list[Span]

    @classmethod
    def of(cls, seen: Snapshot, people: People, now: datetime) -> Availability:
        """As the snapshot shows it."""
        claims = seen.claims.values()
        return cls(
            people,
            now,
            {
                claim.booking_id: Span(claim.psychologist_id, claim.blocked_from, claim.blocked_until)
                for claim in claims
            },
            {booking.id: wish for booking in seen.bookings.values() if (wish := _wish(booking)) is not None},
            [Span(row.psychologist_id, row.starts_at, row.ends_at) for row in seen.time_off.values()],
        )

    def obstacles(
        self,
        who: int,
        start: datetime,
        *,
        of: Row,
        is_new: bool = False,
        length: timedelta = HOUR,
        despite_hours: bool = False,
        must_pay: bool = False,
        keeps_place: bool = False,
    ) -> set[Code]:
        """Every reason for which a session of this request, or after it (`is_new`), cannot be then; empty: it can."""
        own = None if is_new else of.id
        reasons = {
            Code.SLOT_PAST: start <= self.now,
            Code.SLOT_TOO_NEAR: must_pay and start - self.now < PAYING_TAKES,
            Code.OUTSIDE_HOURS: not despite_hours and self._is_outside(who, start, start + length),
            Code.SLOT_TAKEN: self._is_held(who, start, length, besides=own),
            Code.ADDRESS_REQUIRED: of.mode == "OFFLINE" and who == self.people.online_only and not keeps_place,
        }
        return {code for code, holds in reasons.items() if holds}

    def hold(self, booking_id: int, who: int, start: datetime, length: timedelta = HOUR) -> None:
        """From now on it is in the way of others."""
        self.held[booking_id] = Span(who, start, start + length + BUFFER)

    def offered(self, booking: Row, days: Iterable[date]) -> list[datetime]:
        """When the one who has hours can be had on these days, as anybody is told. A session's own time is not new."""
        found = []
        for start in (at for day in days for at in grid(day)):
            who = self.people.by_hours
            taken = Span(who, start, start + HOUR + BUFFER)
            in_the_way = [span for key, span in (*self.held.items(), *self.wishes.items()) if key != booking.id]
            is_offered = self.now + OFFERED_FROM <= start < self.now + OFFERED_UNTIL
            is_free = not any(taken.meets(span) for span in in_the_way)
            if is_offered and is_free and not self._is_off(who, start, start + HOUR):
                found.append(start)
        return [at for at in found if (booking.psychologist_id, booking.slot_start) != (self.people.by_hours, at)]

    def fitting(self, booking: Row) -> list[datetime]:
        """What is offered and all that the visitor asked for: day, hours, psychologist."""
        if booking.preferred_psychologist_id not in (None, self.people.by_hours):
            return []
        first, last = PERIODS[booking.preferred_period]
        offered = self.offered(booking, [booking.preferred_date])
        return [at for at in offered if first <= at.astimezone(KOLKATA).hour < last]

    def _is_held(self, who: int, start: datetime, length: timedelta, *, besides: int | None) -> bool:
        wanted = Span(who, start, start + length + BUFFER)
        return any(wanted.meets(span) for key, span in self.held.items() if key != besides)

    def _is_off(self, who: int, start: datetime, end: datetime) -> bool:
        return any(Span(who, start, end).meets(span) for span in self.off)

    def _is_outside(self, who: int, start: datetime, end: datetime) -> bool:
        if self._is_off(who, start, end):
            return True
        midnight = _midnight(start.astimezone(KOLKATA).date())
        return who == self.people.by_hours and not (midnight + OPENS <= start and end <= midnight + CLOSES)


def time_to_pay(start: datetime, *, now: datetime, is_follow_up: bool) -> datetime:
    """A day, and an hour before the session, or half of what is left; a follow-up's is 48 h ahead if that is later."""
    usual = min(now + DAY, max(start - HOUR, now + (start - now) / 2))
    return max(usual, start - 2 * DAY) if is_follow_up else usual


def grid(day: date) -> list[datetime]:
    """The starts of one day: a session and its pause apart."""
    return [_midnight(day) + OPENS + n * (HOUR + BUFFER) for n in range(LATEST_OF_DAY)]


def days_from(now: datetime, count: int) -> list[date]:
    """The next days of the practice, today first."""
    return [now.astimezone(KOLKATA).date() + n * DAY for n in range(count)]


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=KOLKATA).astimezone(UTC)


def _wish(booking: Row) -> Span | None:
    """A wish for one psychologist at one time hides it as long as nobody has answered."""
    who, start = booking.preferred_psychologist_id, booking.preferred_slot_start
    if booking.state != "PENDING" or who is None or start is None:
        return None
    return Span(who, start, start + HOUR + BUFFER)
