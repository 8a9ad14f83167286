"""Who is on the phone: people who booked before, found by address or number, and what of theirs fills the new form."""

from __future__ import annotations

from typing import Any

from backend.bookings.models import Booking
from backend.bookings.search import matching
from backend.bookings.sight import Sight

SHOWN = 8
READ = 60  # bookings looked through: one person may have many
KEPT = ("phone_number", "emergency_contact")  # what an account may see masked: taken over without being shown
SHOWN_FIELDS = ("full_name", "email", "age", "gender", "city", "region", "country", "mode", "payment_mode")


def known(text: str, sight: Sight) -> list[dict[str, Any]]:
    """The newest proved booking of each person who fits the words, newest first; nobody for no words."""
    if not text.strip():
        return []
    rows = Booking.objects.filter(sight.bookings(), matching(text), verified_at__isnull=False, purged_at=None)
    people: dict[int | None, Booking] = {}
    for booking in rows.defer("user_message").order_by("-pk")[:READ]:
        people.setdefault(booking.client_id, booking)
    return [
        {"booking": booking, "phone": sight.phone(booking.phone_number)} for booking in list(people.values())[:SHOWN]
    ]


def like(given: str, sight: Sight) -> Booking | None:
    """The booking that fills the form."""
    if not (given.isdecimal() and len(given) < 19):
        return None
    found: Booking | None = Booking.objects.filter(sight.bookings(), pk=given, purged_at=None).first()
    return found


def filled(booking: Booking, sight: Sight) -> dict[str, Any]:
    """What the form begins with."""
    fields = SHOWN_FIELDS + (KEPT if sight.sees_phones else ())
    return {name: getattr(booking, name) for name in fields}
