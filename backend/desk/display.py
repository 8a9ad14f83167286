"""How the admin shows states, spans and what a sponsor has left."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backend.bookings import sponsors
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.core.formatting import NOTHING, short_span
from backend.outbox.models import Delivery, Message, MessageState, Queue
from backend.outbox.outlet_models import Outlet
from backend.people.models import Corporate
from backend.rooms import adapters

OWN_ROOM = "In a room of its own"
COLOURS = {
    State.DRAFT: "secondary",
    State.PENDING: "warning",
    State.APPROVED: "info",
    State.PAYMENT_PENDING: "info",
    State.CONFIRMED: "success",
    State.COMPLETED: "dark",
    State.REJECTED: "light",
    State.CANCELLED: "light",
    State.PAYMENT_FAILED: "danger",
}
MESSAGE_COLOURS = {
    MessageState.WAITING: "info",
    MessageState.DONE: "success",
    MessageState.OBSOLETE: "secondary",
    MessageState.SUPPRESSED: "warning",
    MessageState.DEAD: "danger",
    MessageState.UNKNOWN: "danger",
    MessageState.DISCARDED: "secondary",
}

DELIVERY_COLOURS = {
    Delivery.DEFERRED: "warning",
    Delivery.DELIVERED: "success",
    Delivery.BOUNCED: "danger",
    Delivery.COMPLAINED: "danger",
}


def fate(message: Message) -> tuple[str, str]:
    """What became of a message, in a word or two, and its colour."""
    state = MessageState(message.state)
    if not message.delivery:
        return state.label, MESSAGE_COLOURS[state]
    delivery = Delivery(message.delivery)
    word = delivery.label if state == MessageState.DONE else f"{state.label}, {delivery.label.lower()}"
    return word, DELIVERY_COLOURS[delivery]


def badge(state: str) -> SafeString:
    """The state's name on its colour."""
    return format_html('<span class="badge text-bg-{}">{}</span>', COLOURS[State(state)], State(state).label)


def unreported(message: Message) -> str:
    """Why nobody knows whether a mail that left arrived; nothing of one of which a report may still come."""
    if message.queue != Queue.MAIL or message.state not in (MessageState.DONE, MessageState.UNKNOWN):
        return NOTHING
    if message.handed_to == Outlet.FALLBACK:
        return "never: it left by the second provider, which reports nothing"
    return NOTHING if settings.EMAIL_WEBHOOK_SECRET else "never: EMAIL_WEBHOOK_SECRET is not set"


def mark(text: str) -> SafeString:
    """Something that presses; nothing for nothing."""
    return format_html(' <span class="badge text-bg-danger">{}</span>', text) if text else SafeString("")


def time_left(until: datetime | None, *, now: datetime) -> str:
    """`2 h 5 min`, or how long ago it was: `5 min overdue`."""
    if until is None:
        return NOTHING
    return short_span(until - now) if until > now else f"{short_span(now - until)} overdue"


def sponsor(corporate: Corporate, *, now: datetime) -> str:
    """Whether a corporate would pay, a line a month: `Acme; December 2026: 3 of 10 left`."""
    lines = [str(corporate)]
    for month in sponsors.outlook(corporate, now=now):
        left = "no limit" if month.left is None else f"{month.left} of {corporate.sessions_a_month} left"
        lines.append(f"{month.first_day:%B %Y}: {left}" + (f"; not covered: {month.gap}" if month.gap else ""))
    return "\n".join(lines)


def meets_at(booking: Booking) -> str:
    """Where an online session meets; empty for one in person, and while nothing is settled."""
    return OWN_ROOM if booking.meeting_link and not adapters.are_shared() else booking.meeting_link
