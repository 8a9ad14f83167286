"""Taking what is about a person out of rows that stay; the models say which columns that are."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from backend.bookings import kept_answers
from backend.bookings.lifecycle.saving import save
from backend.bookings.models import Booking
from backend.channels import consents
from backend.core.personal_data import emptied
from backend.people.models import Client


def empty(booking: Booking, *, now: datetime) -> None:
    """Nobody is known by it any more, and no decision about it can be taken back, however the clock stands."""
    nothing = emptied(Booking)
    for name, value in nothing.items():
        setattr(booking, name, value)
    booking.purged_at, booking.undo_until = now, None
    save(booking, {*nothing, "purged_at", "undo_until"})


def forget(client_ids: Collection[int]) -> None:
    """Clients, with all earlier versions and what they consented to. Their bookings were emptied before."""
    consents.forget(client_ids)  # first: they refer to the clients
    Client.objects.filter(pk__in=client_ids).delete()
    Client.history.filter(id__in=client_ids).delete()  # after the deletion, which leaves a row of its own
    kept_answers.forget([kept_answers.client_name(pk) for pk in client_ids])
