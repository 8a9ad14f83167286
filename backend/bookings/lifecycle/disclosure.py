"""A telephone number uncovered: shown to somebody who sees it masked otherwise, and never without a record."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from backend.audit import records
from backend.audit.models import Kind
from backend.bookings.models import Booking
from backend.core import disclosures
from backend.core.errors import Code, Refused


@transaction.atomic
def reveal_phone(booking_id: int, *, actor: str, now: datetime) -> Booking:
    """The booking, whose number and emergency contact may now be shown; the row that says so is written.

    No ledger row: the booking did not change, and a colleague's open form about it must stay good.
    Refuses: booking_unknown.
    """
    booking = Booking.objects.filter(pk=booking_id).first()
    if booking is None:
        raise Refused(Code.BOOKING_UNKNOWN)
    shown = {f"booking.{name}": [booking.pk] for name in ("emergency_contact", "phone_number")}
    records.write(Kind.REVEALED, shown, actor=actor, now=now)
    with disclosures.unseen():  # the row above tells of it
        _ = booking.emergency_contact
    return booking
