"""A telephone number uncovered: shown to somebody who sees it masked otherwise, and never without a record."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from backend.bookings.models import Booking, Disclosure
from backend.core import correlation
from backend.core.errors import Code, Refused


@transaction.atomic
def reveal_phone(booking_id: int, *, actor: str, now: datetime) -> Booking:
    """The booking, whose number may now be shown; the row that says so is written.

    No ledger row: the booking did not change, and a colleague's open form about it must stay good.
    Refuses: booking_unknown.
    """
    booking = Booking.objects.filter(pk=booking_id).first()
    if booking is None:
        raise Refused(Code.BOOKING_UNKNOWN)
    Disclosure.objects.create(booking=booking, actor=actor, at=now, correlation_id=correlation.current())
    return booking
