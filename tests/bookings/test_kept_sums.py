"""Sums are kept for some minutes where there is much to count, and never where there is little."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from backend.bookings import kept_sums
from backend.bookings.kept_sums import FORGOTTEN_AFTER, KEPT_FOR, Kept
from backend.bookings.models import KeptSum

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def at(value: int, now: datetime) -> Kept:
    return kept_sums.kept("sum", lambda: {"n": value}, is_large=lambda said: said["n"] >= 10, now=now)


def test_what_is_large_is_told_for_some_minutes(now: datetime) -> None:
    assert at(10, now) == Kept({"n": 10})
    assert at(11, now + KEPT_FOR - MINUTE) == Kept({"n": 10}, now)
    assert at(12, now + KEPT_FOR) == Kept({"n": 12})
    assert at(13, now + KEPT_FOR + MINUTE) == Kept({"n": 12}, now + KEPT_FOR)


def test_what_is_small_is_counted_at_each_look(now: datetime) -> None:
    assert [at(value, now).value["n"] for value in (1, 2)] == [1, 2]
    assert not KeptSum.objects.exists()


def test_a_clock_that_was_set_back_keeps_nothing_longer(now: datetime) -> None:
    at(10, now)
    assert at(11, now - MINUTE) == Kept({"n": 11})
    assert at(12, now) == Kept({"n": 11}, now - MINUTE)


def test_sums_that_nobody_looks_at_are_forgotten(now: datetime) -> None:
    kept_sums.keep("old", 1, now=now - FORGOTTEN_AFTER - MINUTE)
    kept_sums.keep("new", 1, now=now)
    assert list(KeptSum.objects.values_list("name", flat=True)) == ["new"]
