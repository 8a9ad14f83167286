"""How long psychologists are open in a span: their hours as they stand today, without closed days and time off."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from backend.people.models import WorkingHours
from backend.scheduling import calendar_feed
from backend.scheduling.calendar_feed import CalendarFilter


def open_time(start: datetime, end: datetime, psychologist_ids: Iterable[int]) -> dict[int, timedelta]:
    """Of each of these who has hours, in `[start, end)`."""
    ids = tuple(psychologist_ids)
    if not ids:
        return {}
    shades = calendar_feed.shades(CalendarFilter(start, end, ids), by_psychologist=True)
    found: dict[int, timedelta] = {}
    for pk in (
        WorkingHours.objects.filter(psychologist__in=ids).order_by().values_list("psychologist", flat=True).distinct()
    ):
        shut = [(shade.start, shade.end) for shade in shades if shade.psychologist_id in (None, pk)]
        found[pk] = (end - start) - _length(shut, start, end)
    return found


def _length(spans: Iterable[tuple[datetime, datetime]], start: datetime, end: datetime) -> timedelta:
    """How long they last together within `[start, end)`, however they overlap."""
    total, reached = timedelta(0), start
    for begins, ends in sorted(spans):
        total += max(timedelta(0), min(ends, end) - max(begins, reached))
        reached = max(reached, min(ends, end))
    return total
