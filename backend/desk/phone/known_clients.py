"""Who is on the phone: people who booked before, found by address or number, and what of theirs fills the new form."""

from __future__ import annotations

from typing import Any

from backend.bookings.access import AccessPolicy
from backend.bookings.models import Booking
from backend.bookings.search import matching
from backend.core import disclosures
from backend.core.disclosures import Act
from backend.core.row_ids import row_id

SHOWN = 8
READ = 60  # bookings looked through: one person may have many
KEPT = ("phone_number", "emergency_contact")  # what an account may see masked: taken over without being shown
SHOWN_FIELDS = ("full_name", "email", "age", "gender", "city", "region", "country", "mode", "payment_mode")


def known(text: str, access: AccessPolicy) -> list[dict[str, Any]]:
    """The newest proved booking of each person who fits the words, newest first; nobody for no words."""
    if not text.strip():
        return []
    rows = Booking.objects.filter(access.bookings(), matching(text, access), verified_at__isnull=False, purged_at=None)
    people: dict[int | None, Booking] = {}
    for booking in rows.defer("user_message").order_by("-pk")[:READ]:
        people.setdefault(booking.client_id, booking)
    shown = list(people.values())[:SHOWN]
    disclosures.note_act(Act.SEARCHED, Booking, (booking.pk for booking in shown))
    return [{"booking": booking, "phone": access.phone(booking)} for booking in shown]


def like(given: str, access: AccessPolicy) -> Booking | None:
    """The booking that fills the form."""
    if not (pk := row_id(given)):
        return None
    return Booking.objects.filter(access.bookings(), pk=pk, purged_at=None).first()


def filled(booking: Booking, access: AccessPolicy) -> dict[str, Any]:
    """What the form begins with."""
    fields = SHOWN_FIELDS + (KEPT if access.sees_phones else ())
    if access.sees_phones:
        disclosures.note(booking, *KEPT)
    return {name: getattr(booking, name) for name in fields}
