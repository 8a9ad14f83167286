"""A step that fails for some bookings, as a bug or a broken row would have it."""

from __future__ import annotations

from datetime import datetime

import pytest

from backend.bookings.lifecycle.sweeping import TimedIntent
from backend.bookings.models import Booking


def fail_for(monkeypatch: pytest.MonkeyPatch, intent: TimedIntent, *broken: Booking) -> list[int]:
    """Afterwards the intent fails for these. Returns the list of the bookings that it is tried with."""
    step, ids, tried = intent._step, {booking.pk for booking in broken}, []

    def sometimes(booking: Booking, /, *, now: datetime) -> bool:
        tried.append(booking.pk)
        if booking.pk in ids:
            raise RuntimeError("a bug")
        return step(booking, now=now)

    monkeypatch.setattr(intent, "_step", sometimes)
    return tried
