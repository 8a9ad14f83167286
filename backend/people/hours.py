"""The arithmetic of working hours: which instants a rule means in its zone, and where sessions fit. No database.

Instants are aware and in UTC here, whatever zone a rule is written in: they compare fast, and no zone is asked once a
span is known. Spans are half-open.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from operator import itemgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from backend.core.errors import required

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
Span = tuple[datetime, datetime]


class HoursRule(NamedTuple):
    """Working hours as they are written: of every week (`weekday`, Monday is 0) or of one `day`, in local time.

    Midnight as `ends_at` is the end of the day.
    """

    weekday: int | None
    day: date | None
    starts_at: time
    ends_at: time
    offers: str
    location_id: int | None


class Opening(NamedTuple):
    """Working hours as they happen once."""

    start: datetime
    end: datetime
    offers: str
    location_id: int | None


class Clock:
    """The wall clock of one zone; remembers what its rules mean, as colleagues keep the same hours."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._known: dict[tuple[HoursRule, date, date], list[Opening]] = {}

    def openings(self, rule: HoursRule, first: date, last: date) -> list[Opening]:
        """The hours of one rule from the day `first` to the day `last`."""
        known = self._known.get((rule, first, last))
        if known is None:
            known = self._known[rule, first, last] = list(self._openings(rule, first, last))
        return known

    def _openings(self, rule: HoursRule, first: date, last: date) -> Iterator[Opening]:
        if rule.weekday is not None:
            on = days(first, last)[(rule.weekday - first.weekday()) % 7 :: 7]
        else:
            on = [rule.day] if rule.day is not None and first <= rule.day <= last else []
        for day in on:
            start = self.instant(day, rule.starts_at)
            end = self.instant(day if rule.ends_at != time.min else day + _DAY, rule.ends_at)
            if start < end:  # else the change of the clock swallowed them
                yield Opening(start, end, rule.offers, rule.location_id)

    def instant(self, day: date, at: time) -> datetime:
        """The first instant at which the clock shows `at` of `day`, or anything later.

        So a time that is skipped means the moment of the change, and one that comes twice its first coming. The order
        of wall times stays the order of instants: hours that do not overlap on paper never overlap.
        """
        wall = datetime.combine(day, at, self.zone)
        before, after = required(wall.utcoffset(), "offset"), required(wall.replace(fold=1).utcoffset(), "offset")
        first = wall.replace(tzinfo=UTC) - before
        return first if before >= after else self._change_between(first - (after - before), first)

    def date(self, instant: datetime) -> date:
        """What the calendar beside the clock shows."""
        return instant.astimezone(self.zone).date()

    def _change_between(self, before: datetime, after: datetime) -> datetime:
        """The second from which the offset of `after` holds; at `before` another one does (PEP 495, gaps)."""
        new = after.astimezone(self.zone).utcoffset()
        while after - before > _SECOND:
            middle = before + (after - before) // _SECOND // 2 * _SECOND
            is_new = middle.astimezone(self.zone).utcoffset() == new
            before, after = (before, middle) if is_new else (middle, after)
        return after


def openings(rules: Iterable[HoursRule], clock: Clock, first: date, last: date) -> list[Opening]:
    """The working hours from the day `first` to the day `last`, in order."""
    found = [opening for rule in rules for opening in clock.openings(rule, first, last)]
    found.sort(key=itemgetter(0))
    return found


def closed_days(clock: Clock, first: date, last: date, *, weekdays: set[int], dates: set[date]) -> list[Span]:
    """The days from `first` to `last` on which nobody works."""
    return [
        (clock.instant(day, time.min), clock.instant(day + _DAY, time.min))
        for day in days(first, last)
        if day.weekday() in weekdays or day in dates
    ]


def days(first: date, last: date) -> list[date]:
    """From `first` to `last`, both included."""
    return [first + n * _DAY for n in range((last - first).days + 1)]


class Grid:
    """Where sessions can begin within spans of hours: every `step`, as long as they end within.

    It remembers what it was asked, as colleagues keep the same hours.
    """

    def __init__(self, *, length: timedelta, pause: timedelta, step: timedelta) -> None:
        self.length, self.pause, self.step = length, pause, step
        self._known: dict[Span, list[tuple[Span, datetime]]] = {}

    def places(self, start: datetime, end: datetime) -> list[tuple[Span, datetime]]:
        """Each session, with the end of the pause after it."""
        known = self._known.get((start, end))
        if known is None:
            known = self._known[start, end] = []
            while start <= end - self.length:
                known.append(((start, start + self.length), start + self.length + self.pause))
                start += self.step
        return known


_NEVER = datetime.max.replace(tzinfo=UTC)


class Blocked(NamedTuple):
    """Spans in which nothing else can be, whatever their overlaps: their starts in order, and their ends in order.

    They need no pairs. A span that is over by an instant began before it, so something reaches from there into what
    follows as soon as more spans have begun than are over. Both end with an instant that never comes.
    """

    starts: list[datetime]
    ends: list[datetime]

    def meet(self, start: datetime, end: datetime) -> bool:
        """Whether one of them reaches into what is from `start` to `end`."""
        return self.starts[bisect_right(self.ends, start)] < end


def blocked(starts: Iterable[datetime], ends: Iterable[datetime]) -> Blocked:
    """Builds the blocked spans from starts and ends in any order."""
    return Blocked([*sorted(starts), _NEVER], [*sorted(ends), _NEVER])


def free_places(
    hours: Iterable[Opening], grid: Grid, *, claims: Blocked, off: Blocked
) -> Iterator[tuple[Opening, list[Span]]]:
    """The places on the grid that are free, one working span after the other.

    A session is clear of `claims` and of time `off`; the pause after it is clear of `claims`.
    """
    claimed_from, claimed_until = claims
    for opening in hours:
        found: list[Span] = []
        over = bisect_right(claimed_until, opening.start)  # claims, by then
        is_cut = off.meet(opening.start, opening.end)
        for session, pause_end in grid.places(opening.start, opening.end):
            while claimed_until[over] <= session[0]:
                over += 1
            if claimed_from[over] >= pause_end and not (is_cut and off.meet(*session)):
                found.append(session)
        yield opening, found


def covered(span: Span, hours: Iterable[Opening]) -> bool:
    """Whether `hours`, in order, hold every instant of `span`."""
    reached, end = span
    for opening in hours:
        if opening.start <= reached < opening.end:
            reached = opening.end
    return reached >= end
