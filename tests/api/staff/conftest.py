"""Bookings that the staff API finds."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from backend.bookings.machine import State
from backend.bookings.models import Booking
from tests.support import factories


@pytest.fixture
def various(now: datetime) -> dict[State, Booking]:
    """One booking in each state, of a person of its own."""
    return {
        state: factories.make_booking(
            state,
            now=now,
            email=f"{state.lower()}@example.org",
            full_name=f"{state.label} Person",
            phone_number=f"98765{number:05}",
            preferred_date=now.date() + timedelta(days=number),
        )
        for number, state in enumerate(State)
    }
