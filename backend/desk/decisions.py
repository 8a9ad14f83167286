"""A decision counts only for the booking as it was seen when its page was opened."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from backend.bookings.models import Booking


class Overtaken(Exception):
    """The booking changed between the page that staff decided on and their decision; nothing was written."""


def if_unchanged(booking_id: int, seen: int, act: Callable[[], object]) -> None:
    """Run an intent for a booking whose last ledger row was `seen`. Raises Refused, Overtaken.

    Every intent writes one ledger row under the booking's lock: if it is not the next one after the row that staff saw,
    somebody else's stands between.
    """
    with transaction.atomic():
        act()
        now_at = Booking.objects.values_list("ledger_sequence", flat=True).get(pk=booking_id)
        if now_at != seen + 1:
            raise Overtaken
