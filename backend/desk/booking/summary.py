"""A booking in a few lines, beside what is decided about it."""

from __future__ import annotations

from datetime import datetime

from backend.bookings.access import AccessPolicy
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.core.formatting import NOTHING
from backend.desk.booking import columns
from backend.desk.display import sponsor, time_left


def summary(booking: Booking, access: AccessPolicy, *, now: datetime) -> list[tuple[str, str]]:
    """What somebody must know of a booking to decide about it, and may see, label by label."""
    payment = booking.get_payment_mode_display()
    if booking.corporate:
        is_settled = booking.state != State.PENDING
        payment = f"sponsored by {booking.corporate}" if is_settled else f"{payment}, unless the sponsor covers it"
    facts = [
        ("State", booking.get_state_display()),
        ("Name", booking.full_name),
        ("Age", columns.years(booking)),
        ("From", columns.place(booking)),
        ("Preferred", columns.preferred(booking)),
        ("Wish", columns.wish(booking)),
        ("Session", booking.get_mode_display()),
        ("Payment", f"{payment}, {columns.payment(booking)}"),
        (
            "Message",
            booking.user_message or NOTHING if access.reads_message(booking) else columns.hidden_message(booking),
        ),
        ("Time left", time_left(booking.due_at, now=now)),
    ]
    if booking.corporate and booking.state == State.PENDING:
        facts.insert(-2, ("Sponsor", sponsor(booking.corporate, now=now)))
    if booking.slot_start:
        settled = [("Psychologist", str(booking.psychologist)), ("Slot", columns.slot(booking))]
        facts[6:6] = [*settled, ("Amount", columns.price(booking))]
    return facts
