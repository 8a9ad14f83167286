"""From one day to another, both counted, on the practice's clock."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from backend.core.formatting import practice_zone

LONGEST = timedelta(days=2 * 366)  # what is counted at once; each day's hours are laid out
YEARS = (2000, 2100)


def instants_of(first: date, last: date) -> tuple[datetime, datetime]:
    """When these days begin, and when they are over."""
    start, end = (datetime.combine(day, time(), practice_zone()) for day in (first, last + timedelta(days=1)))
    return start, end


def this_month(now: datetime) -> tuple[date, date]:
    """From its first day to today."""
    today = now.astimezone(practice_zone()).date()
    return today.replace(day=1), today


def faults(first: date, last: date) -> dict[str, str]:
    """Why these days are not counted, by `first` or `last`."""
    found = {}
    if not timedelta(0) <= last - first < LONGEST:
        found["last"] = f"Choose a day after the first, and at most {LONGEST.days} days."
    if any(not YEARS[0] <= day.year <= YEARS[1] for day in (first, last)):
        found["first"] = f"Choose days between {YEARS[0]} and {YEARS[1]}."
    return found
