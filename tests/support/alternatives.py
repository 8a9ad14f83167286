"""Rejections that offer other times, and the links to them."""

from __future__ import annotations

from datetime import datetime, timedelta

from backend.bookings import links
from backend.bookings.lifecycle import approval
from backend.bookings.lifecycle.alternatives import OfferedSlot
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.outbox.models import Message
from backend.people.models import Psychologist
from tests.support import scenarios

DAY = timedelta(days=1)
STAFF = {"actor": "staff:desk"}


def times(who: Psychologist, now: datetime, number: int = 3) -> list[OfferedSlot]:
    """At 10:00 of the next days."""
    return [OfferedSlot(who.pk, now + (n + 3) * DAY) for n in range(number)]


def rejected(who: Psychologist, now: datetime, email: str = scenarios.ASHA, **changes: object) -> Booking:
    booking = scenarios.pending(email, now=now, **changes)
    return approval.reject(booking.pk, note_to_visitor="", offers=times(who, now), now=now, **STAFF)


def tokens(booking: Booking) -> list[str]:
    """Of the times offered, in order."""
    message = Message.objects.get(booking_id=booking.pk, kind=Notice.BOOKING_REJECTED)
    return list(links.tokens_of(message.uuid).values())
