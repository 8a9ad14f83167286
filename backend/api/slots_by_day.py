"""Free slots as a visitor chooses among them: a week's days as links, and the times of one of them.

A day at a time, because all of a week's are a page that nobody scrolls through on a phone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from backend.bookings import policy
from backend.core.formatting import practice_zone
from backend.scheduling.free_slots import FreeSlot

DAY, WEEK = timedelta(days=1), timedelta(days=7)
Find = Callable[[datetime, datetime], list[FreeSlot]]  # of what begins in `[start, end)`


@dataclass(frozen=True)
class Day:
    """One of the week's, on the practice's calendar."""

    day: date
    free: int

    @property
    def iso(self) -> str:
        """As an address says it."""
        return self.day.isoformat()


@dataclass(frozen=True)
class SlotsByDay:
    """A week with what is free in it, and the day that is open; None if the week has nothing."""

    days: tuple[Day, ...]
    chosen: date | None
    slots: tuple[FreeSlot, ...]  # of the chosen day
    before: date | None  # a day of the week before; None where nothing can be offered
    after: date | None

    @property
    def first(self) -> date:
        """The Monday."""
        return self.days[0].day

    @property
    def last(self) -> date:
        """The Sunday."""
        return self.days[-1].day


def look(find: Find, asked: str, *, now: datetime) -> SlotsByDay:
    """The week of the day that was asked for; else the first with a free slot, within what is offered at all."""
    first, last = _monday(_today(now)), _monday(_today(now + policy.BOOKING_HORIZON))
    wanted = _read(asked)
    monday = first if wanted is None else min(max(_monday(wanted), first), last)
    found = _of_week(find, monday)
    while wanted is None and not found and monday < last:
        monday += WEEK
        found = _of_week(find, monday)
    chosen = wanted if wanted in found else next(iter(found), None)
    return SlotsByDay(
        days=tuple(Day(day, len(found.get(day, ()))) for day in (monday + n * DAY for n in range(7))),
        chosen=chosen,
        slots=tuple(found[chosen]) if chosen is not None else (),
        before=monday - WEEK if monday > first else None,
        after=monday + WEEK if monday < last else None,
    )


def _of_week(find: Find, monday: date) -> dict[date, list[FreeSlot]]:
    """By the practice's day, in order."""
    zone = practice_zone()
    start, end = (datetime.combine(day, time(), tzinfo=zone).astimezone(UTC) for day in (monday, monday + WEEK))
    days: dict[date, list[FreeSlot]] = {}
    for slot in find(start, end):
        days.setdefault(slot.start.astimezone(zone).date(), []).append(slot)
    return days


def _read(asked: str) -> date | None:
    try:
        return date.fromisoformat(asked)
    except ValueError:
        return None


def _today(at: datetime) -> date:
    return at.astimezone(practice_zone()).date()


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
