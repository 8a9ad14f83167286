"""A sponsor, and bookings that it pays for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from backend.bookings.lifecycle import approval
from backend.bookings.lifecycle.session_terms import Approval
from backend.bookings.models import Booking
from backend.people.models import Corporate
from tests.support import scenarios

STAFF = {"actor": "staff:desk"}
LATER = timedelta(days=3)


def acme(**terms: Any) -> Corporate:
    return Corporate.objects.create(name="Acme", **{"code": "ACME-7Q", "sessions_a_month": 1, **terms})


def approve(booking: Booking, now: datetime, at: datetime | None = None, **decided: Any) -> Booking:
    """With somebody of their own, so that only the sponsor can be short of something."""
    who = scenarios.psychologist(f"Dr. {booking.pk}")
    return approval.approve(booking.pk, Approval(who.pk, at or now + LATER, **decided), now=now, **STAFF)


def with_code(email: str = scenarios.ASHA, *, now: datetime, **changes: object) -> Booking:
    return scenarios.pending(email, now=now, **{"sponsor_code": "ACME-7Q", **changes})


def sponsored(email: str = scenarios.ASHA, *, now: datetime, at: datetime | None = None) -> Booking:
    return approve(with_code(email, now=now), now, at)
