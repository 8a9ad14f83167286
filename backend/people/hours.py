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

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
Span = tuple[datetime, datetime]


class Rule(NamedTuple):
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
    """The wall clock of one zone; remembers what it was asked, as colleagues keep the same hours."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._known: dict[tuple[tuple[date, ...], time], list[datetime]] = {}

    def instants(self, days: tuple[date, ...], at: time) -> list[datetime]:
        """`instant` of each day."""
        known = self._known.get((days, at))
        if known is None:
            known = self._known[days, at] = [self.instant(day, at) for day in days]
        return known

    def instant(self, day: date, at: time) -> datetime:
        """The first instant at which the clock shows `at` of `day`, or anything later.

        So a time that is skipped means the moment of the change, and one that comes twice its first coming. The order
        of wall times stays the order of instants: hours that do not overlap on paper never overlap.
        """
        wall = datetime.combine(day, at, self.zone)
        before, after = wall.utcoffset(), wall.replace(fold=1).utcoffset()
        assert before is not None
        assert after is not None
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


def openings(rules: Iterable[Rule], clock: Clock, first: date, last: date) -> list[Opening]:
    """The working hours from the day `first` to the day `last`, in order."""
    all_days, found = tuple(days(first, last)), []
    for rule in rules:
        if rule.weekday is not None:
            on = all_days[(rule.weekday - first.weekday()) % 7 :: 7]
        else:
            on = (rule.day,) if rule.day is not None and first <= rule.day <= last else ()
        starts = clock.instants(on, rule.starts_at)
        last_days = on if rule.ends_at != time.min else tuple(day + _DAY for day in on)
        ends = clock.instants(last_days, rule.ends_at)
        found += [
            Opening(start, end, rule.offers, rule.location_id)
            for start, end in zip(starts, ends, strict=True)
            if start < end  # else the change of the clock swallowed them
        ]
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


class Blocked(NamedTuple):
    """Spans in which nothing else can be, whatever their overlaps: their starts in order, and their ends in order.

    They need no pairs. A span that is over by an instant began before it, so something reaches from there into what
    follows as soon as more spans have begun than are over.
    """

    starts: list[datetime]
    ends: list[datetime]


def blocked(starts: Iterable[datetime], ends: Iterable[datetime]) -> Blocked:
    """Of spans whose starts and ends come in any order."""
    return Blocked(sorted(starts), sorted(ends))


def starts(
    hours: Iterable[Opening], claims: Blocked, off: Blocked, *, length: timedelta, pause: timedelta, step: timedelta
) -> Iterator[tuple[Opening, list[datetime]]]:
    """Where sessions can start: every `step` from the start of each span of hours, save where something is in the way.

    A session ends within its hours and is clear of `claims` and of time `off`; the pause after it is clear of `claims`.
    """
    (claimed_from, claimed_until), (off_from, off_until) = claims, off
    all_claims, all_off, blocks = len(claimed_from), len(off_from), length + pause
    for opening in hours:
        found: list[datetime] = []
        at, last = opening.start, opening.end - length
        over = bisect_right(claimed_until, at)  # claims, by then
        while at <= last:
            while over < all_claims and claimed_until[over] <= at:
                over += 1
            if over == all_claims or claimed_from[over] >= at + blocks:
                off_over = bisect_right(off_until, at)
                if off_over == all_off or off_from[off_over] >= at + length:
                    found.append(at)
            at += step
        yield opening, found


def covered(span: Span, hours: Iterable[Opening]) -> bool:
    """Whether `hours`, in order, hold every instant of `span`."""
    reached, end = span
    for opening in hours:
        if opening.start <= reached < opening.end:
            reached = opening.end
    return reached >= end
