"""From one day to another, both counted, on the practice's clock."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from backend.core.formatting import practice_zone

LONGEST = timedelta(days=2 * 366)  # what is counted at once; each day's hours are laid out


def instants_of(first: date, last: date) -> tuple[datetime, datetime]:
    """When these days begin, and when they are over."""
    start, end = (datetime.combine(day, time(), practice_zone()) for day in (first, last + timedelta(days=1)))
    return start, end
