"""Bookings by state: those that wait as they are, those that are over as they were counted last in a large practice."""

from __future__ import annotations

from datetime import datetime

import pytest

from backend.bookings.kept_sums import KEPT_FOR
from backend.bookings.machine import State
from backend.bookings.models import Booking, KeptSum
from backend.ops import business_figures
from backend.ops.business_figures import read_business_figures
from tests.support.factories import make_booking

pytestmark = pytest.mark.django_db


def test_bookings_that_are_over_are_counted_every_some_minutes(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(business_figures, "KEPT_FROM", 2)
    rows = [make_booking(state, now=now, email=f"{state.lower()}@example.org") for state in State]
    first = read_business_figures(now=now)
    assert first.bookings == dict.fromkeys(State, 1)
    assert first.finals_counted_at == now
    Booking.objects.filter(pk=rows[0].pk).update(state=State.CANCELLED, due_at=None, closed_at=now)
    assert rows[0].state == State.DRAFT
    later = now + KEPT_FOR / 2
    kept = read_business_figures(now=later)
    assert (kept.bookings[State.DRAFT], kept.bookings[State.CANCELLED], kept.finals_counted_at) == (0, 1, now)
    anew = read_business_figures(now=now + KEPT_FOR)
    assert (anew.bookings[State.CANCELLED], anew.finals_counted_at) == (2, now + KEPT_FOR)


def test_a_small_practice_is_counted_as_it_is(now: datetime) -> None:
    make_booking(State.COMPLETED, now=now)
    assert read_business_figures(now=now).bookings[State.COMPLETED] == 1
    assert not KeptSum.objects.exists()
