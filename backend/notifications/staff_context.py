"""What a notice says to the practice: ids, facts and where to act. Never the name of a client, nor a word of theirs."""

from __future__ import annotations

from django.conf import settings

from backend.bookings import policy
from backend.bookings.guarantees import deadline, held_session, psychologist_of
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import Moved, PaymentVoided, details_of
from backend.bookings.machine import State
from backend.bookings.models import Mode, PaymentMode
from backend.core import formatting
from backend.core.errors import required
from backend.core.formatting import practice_zone
from backend.notifications import calendar_context
from backend.notifications.notification_context import NotificationContext, TemplateContext
from backend.notifications.visitor_context import help_lines
from backend.people.models import Psychologist


def booking_reference(notification: NotificationContext) -> TemplateContext:
    """Which booking, and where to open it."""
    booking = notification.booking
    return {
        "acknowledgement_id": booking.acknowledgement_id,
        "support_lines": help_lines(),
        "admin_url": f"{settings.PUBLIC_URL}/admin/bookings/booking/{booking.pk}/change/",
    }


def request_urgency(notification: NotificationContext) -> TemplateContext:
    """Enough to see how much a request presses."""
    booking = notification.booking
    return {
        "pays_in_person": booking.payment_mode == PaymentMode.OFFLINE,
        "is_minor": booking.is_minor,
        "adult_age": policy.ADULT_AGE,
        # the day they hope for is here before our own deadline is
        "is_urgent": booking.preferred_date <= deadline(booking).astimezone(practice_zone()).date(),
        "waits_since": formatting.day_and_time(booking.verified_at or booking.created_at),
    }


def cancellation_request(notification: NotificationContext) -> TemplateContext:
    """When the visitor asked, and until when they can prove it."""
    booking = notification.booking
    asked_at = required(booking.cancellation_requested_at, "cancellation_requested_at", booking)
    return {
        "asked_at": formatting.day_and_time(asked_at),
        "link_until": formatting.day_and_time(asked_at + policy.CANCEL_LINK_LIFETIME),
        "state": State(booking.state).label.lower(),
        "is_pending": booking.state == State.PENDING,
    }


def unconfirmed_session(notification: NotificationContext) -> TemplateContext:
    """The session as it was confirmed; where it stands since is the booking's to say."""
    entry = required(notification.entry, "ledger entry", notification.message)
    starts_at = required(details_of(entry, PaymentVoided).was_confirmed_for, "was_confirmed_for", entry)
    return {"starts": formatting.day_and_time(starts_at), "is_online": notification.booking.mode == Mode.ONLINE}


def lost_session(notification: NotificationContext) -> TemplateContext:
    """The session a psychologist no longer gives: called off, or moved to a colleague from the time it had before."""
    booking, entry = notification.booking, notification.entry
    if entry is not None and entry.intent == Intent.RESCHEDULE:
        move = details_of(entry, Moved)
        who = Psychologist.objects.get(pk=move.from_psychologist)
        starts_at, to_colleague = move.was, True
        shares_mailbox = who.email == psychologist_of(booking).email
    else:
        who, starts_at, to_colleague = psychologist_of(booking), held_session(booking).start, False
        shares_mailbox = False
    return {
        "psychologist": who.full_name,
        "starts": formatting.day_and_time(starts_at),
        "is_online": booking.mode == Mode.ONLINE,
        "to_colleague": to_colleague,
        # a mailbox that both read keeps it: the colleague's own mail replaces it there
        **({} if shares_mailbox else calendar_context.entry("CANCEL", booking, starts_at)),
    }
