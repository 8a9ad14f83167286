"""What staff did with a visitor's words: they opened them."""

from __future__ import annotations

from datetime import datetime

from backend.bookings.models import Booking, Origin


def mark_message_read(booking_id: int, *, now: datetime) -> bool:
    """The first opening counts; False when no visitor wrote one, or it was read before.

    No ledger row: the booking did not change, and a colleague's open form about it must stay good.
    """
    unread = Booking.objects.filter(pk=booking_id, message_read_at=None, origin=Origin.VISITOR)
    return bool(unread.exclude(user_message="").update(message_read_at=now))
