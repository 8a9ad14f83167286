"""What a notice does to its reader's calendar: an entry made or replaced, taken away, or none.

Kept with the mail's words, so that a retry carries the same. `sequence` is the booking's last step by then: whatever
leaves later has a higher one.
"""

from __future__ import annotations

from datetime import datetime

from backend.bookings.ledger_details import PaymentVoided, details_of
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.core.errors import required
from backend.notifications.notification_context import NotificationContext, TemplateContext


def psychologists_entry(notification: NotificationContext) -> TemplateContext:
    """A confirmed session."""
    booking = notification.booking
    return entry("REQUEST", booking, booking.slot_start) if booking.state == State.CONFIRMED else {}


def visitors_entry(notification: NotificationContext) -> TemplateContext:
    """The same, for a visitor who has not said that their calendar is to be left alone."""
    return psychologists_entry(notification) if notification.booking.calendar_entry else {}


def visitors_entry_gone(notification: NotificationContext) -> TemplateContext:
    """Of a session that was confirmed until it was called off."""
    booking, step = notification.booking, notification.entry
    was_confirmed = step is not None and step.source == State.CONFIRMED
    return entry("CANCEL", booking, booking.slot_start) if was_confirmed and booking.calendar_entry else {}


def visitors_entry_voided(notification: NotificationContext) -> TemplateContext:
    """Of a session that is not confirmed any more, as its payment was none. Confirmed anew it comes again."""
    is_wanted = notification.booking.calendar_entry and notification.booking.state != State.CONFIRMED
    return psychologists_entry_voided(notification) if is_wanted else {}


def psychologists_entry_voided(notification: NotificationContext) -> TemplateContext:
    """The same, for who was to give it."""
    step = required(notification.entry, "ledger entry", notification.message)
    starts_at = details_of(step, PaymentVoided).was_confirmed_for
    return entry("CANCEL", notification.booking, starts_at) if starts_at is not None else {}


def entry(method: str, booking: Booking, starts_at: datetime | None) -> TemplateContext:
    """Of a session at `starts_at` that is as long as the booking's."""
    start, end = booking.slot_start, booking.slot_end
    if starts_at is None or start is None or end is None:
        return {}
    return {
        "entry": {
            "method": method,
            "sequence": booking.ledger_sequence,
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + (end - start)).isoformat(),
        }
    }
