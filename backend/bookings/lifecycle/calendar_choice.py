"""Whether our mails put a visitor's sessions into their calendar, which a family or a company may see."""

from __future__ import annotations

from datetime import datetime

from backend.bookings import links
from backend.bookings.lifecycle.transaction import intent
from backend.bookings.machine import ACTIVE
from backend.bookings.models import Booking, Purpose


@intent
def choose_calendar(token: str, *, wants_entry: bool, now: datetime) -> None:
    """No transition: for all that this person has going, and what is booked from it. Mails that have left stay.

    Refuses: link_unknown, link_expired, draft_lapsed, draft_superseded.
    """
    booking = links.readable(links.find(token, Purpose.BOOKING), now=now)
    if booking.client_id is not None:  # else they were erased, and have nothing going
        Booking.objects.filter(client_id=booking.client_id, state__in=ACTIVE).update(calendar_entry=wants_entry)
