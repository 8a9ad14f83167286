"""Taking what is about a person out of rows that stay; the models say which columns that are."""

from __future__ import annotations

from datetime import datetime

from backend.bookings.models import Booking
from backend.core.personal_data import emptied
from backend.people.models import Client


def empty(booking: Booking, *, now: datetime) -> None:
    """Nobody is known by it any more, and no decision about it can be taken back, however the clock stands."""
    nothing = emptied(Booking)
    for name, value in nothing.items():
        setattr(booking, name, value)
    booking.purged_at, booking.undo_until = now, None
    booking.save(update_fields=[*nothing, "purged_at", "undo_until"])


def forget(client: Client) -> None:
    """With all earlier versions. Their bookings were emptied before."""
    pk = client.pk
    client.delete()
    Client.history.filter(id=pk).delete()  # after the deletion, which leaves a row of its own
