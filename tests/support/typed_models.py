"""What mypy knows of a booking; it is read by the check of types and never runs.

django_fsm has no types, and a class that inherits from `Any` is `Any` itself, as are its manager and its fields: then a
misspelt field or a missing method passes. `backend/bookings/machine.py` stands in for the library. When it does no
more, an `assert_type` fails here, or the error that the last line expects is missing.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, assert_type

if TYPE_CHECKING:
    from django.db.models import Manager

    from backend.bookings.models import Booking, LedgerEntry
    from backend.people.models import Client

    booking = Booking()

    assert_type(booking, Booking)
    assert_type(Booking.objects, Manager[Booking])
    assert_type(Booking.objects.filter(pk=1).first(), Booking | None)
    assert_type(LedgerEntry().booking, Booking)

    assert_type(booking.state, str)
    assert_type(booking.slot_start, datetime | None)
    assert_type(booking.amount_paise, int | None)
    assert_type(booking.client, Client | None)
    assert_type(booking.user_message, str)

    booking.verify(due_at="tomorrow")  # type: ignore[arg-type]  # transitions keep their signature
    booking.no_such_method(3)  # type: ignore[attr-defined]  # what must never pass again
