"""Sums that pages and scrapes show: of a large practice kept for some minutes, and told with when they were counted.

A small practice keeps none: its rows are counted at each look. A name stands for one shape of its value: who changes
the shape takes another name, for two releases run beside each other while one takes the other's place.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import QuerySet

from backend.bookings.models import KeptSum
from backend.core.compiled_queries import Ago, Given, compiled
from backend.core.formatting import practice_zone

MANY = 2_000  # rows to count: fewer are counted within some milliseconds
KEPT_FOR = timedelta(minutes=10)
FORGOTTEN_AFTER = timedelta(days=1)  # sums of days that nobody looks at any more


class Kept(NamedTuple):
    """`counted_at` is None of what was counted just now."""

    value: Any
    counted_at: datetime | None = None


def kept(name: str, count: Callable[[], Any], *, is_large: Callable[[Any], bool], now: datetime) -> Kept:
    """What was counted some minutes ago, or is counted now; that is kept if it is large. A value of JSON's kinds."""
    found: KeptSum | None = _fresh.first(name=name, now=now)
    if found is not None:
        return Kept(found.value, found.counted_at)
    value = count()
    if is_large(value):
        keep(name, value, now=now)
    return Kept(value)


def clock(counted_at: datetime | None) -> str:
    """Of a page: `18:30`, in the practice's zone; empty of what was counted just now."""
    return f"{counted_at.astimezone(practice_zone()):%H:%M}" if counted_at else ""


def keep(name: str, value: Any, *, now: datetime) -> None:
    """In place of what was counted before; two who count at once do no harm."""
    row = KeptSum(name=name, value=value, counted_at=now)
    KeptSum.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["name"], update_fields=["value", "counted_at"]
    )
    KeptSum.objects.filter(counted_at__lt=now - FORGOTTEN_AFTER).delete()


def fresh() -> QuerySet[KeptSum]:
    """Those that are told at `now`, which is given; none that a clock counted which was set back since."""
    return KeptSum.objects.filter(counted_at__gt=Ago(lambda: KEPT_FOR), counted_at__lte=Ago()).order_by()


@compiled
def _fresh() -> QuerySet[KeptSum]:
    return fresh().filter(name=Given("name"))
