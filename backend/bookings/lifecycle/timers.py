"""What time does: each intent checks state and deadline again under the lock, so a late or doubled sweep is harmless.

The deadline of PAYMENT_PENDING is `attempts.ask_after_attempt`, because the gateway is asked first.
"""

from __future__ import annotations

from datetime import datetime

from backend.bookings.intents import Intent
from backend.bookings.lifecycle import redaction
from backend.bookings.lifecycle.notify import notify_visitor
from backend.bookings.lifecycle.transaction import TIMER, intent, lock_booking, run_transition
from backend.bookings.machine import Reason, State
from backend.bookings.models import Booking, Link
from backend.bookings.notices import Notice
from backend.bookings.retention import RULES, Kind
from backend.core import row_locks
from backend.people.models import Client


@intent
def lapse_draft(booking_id: int, *, now: datetime) -> None:
    """DRAFT → CANCELLED `email_not_verified`. A draft whose own mail the limits suppressed gets no mail now either."""
    booking = lock_booking(booking_id)
    if not _is_due(booking, State.DRAFT, now):
        return
    was_written_to = Link.objects.filter(booking=booking).exists()
    run_transition(
        booking,
        lambda: booking.lapse(reason=Reason.EMAIL_NOT_VERIFIED, now=now),
        intent=Intent.LAPSE_DRAFT,
        actor=TIMER,
        now=now,
    )
    if was_written_to:
        notify_visitor(booking, Notice.DRAFT_LAPSED, now=now)


@intent
def close_unanswered(booking_id: int, *, now: datetime) -> None:
    """PENDING → CANCELLED `unanswered`, with an apology and a link to ask again by one click."""
    booking = lock_booking(booking_id)
    if _is_due(booking, State.PENDING, now):
        _cancel(booking, Reason.UNANSWERED, intent=Intent.UNANSWERED, now=now)
        notify_visitor(booking, Notice.BOOKING_UNANSWERED, now=now)


@intent
def time_out_approval(booking_id: int, *, now: datetime) -> None:
    """APPROVED → CANCELLED `payment_timed_out`; the slot is free again."""
    booking = lock_booking(booking_id)
    if _is_due(booking, State.APPROVED, now):
        _cancel(booking, Reason.PAYMENT_TIMED_OUT, intent=Intent.PAYMENT_TIMED_OUT, now=now)
        notify_visitor(booking, Notice.PAYMENT_TIMED_OUT, now=now)


@intent
def complete_session(booking_id: int, *, now: datetime) -> None:
    """CONFIRMED → COMPLETED, some time after the session's end."""
    booking = lock_booking(booking_id)
    if _is_due(booking, State.CONFIRMED, now):
        run_transition(booking, lambda: booking.complete(now=now), intent=Intent.COMPLETE_SESSION, actor=TIMER, now=now)


@intent
def purge_draft(booking_id: int, *, now: datetime) -> None:
    """No transition: an unproved draft loses its personal data, and its client goes if nothing else is theirs."""
    client_id = Booking.objects.values_list("client_id", flat=True).get(pk=booking_id)
    client = next(iter(row_locks.lock(Client.objects.filter(pk=client_id))), None)
    booking = lock_booking(booking_id)
    is_stale = booking.closed_at is not None and booking.closed_at <= now - RULES[Kind.DRAFTS].kept
    if booking.state != State.CANCELLED or booking.verified_at or booking.purged_at or not is_stale:
        return
    redaction.empty(booking, now=now)
    if client is not None and not Booking.objects.filter(client=client).exists():
        redaction.forget(client)


def _is_due(booking: Booking, state: State, now: datetime) -> bool:
    """A choice that is open ends first (`choices.lapse_choice`), by a deadline of its own that is never later."""
    if booking.choose_by is not None:
        return False
    return booking.state == state and booking.due_at is not None and booking.due_at <= now


def _cancel(booking: Booking, reason: Reason, *, intent: Intent, now: datetime) -> None:
    run_transition(booking, lambda: booking.cancel(reason=reason, now=now), intent=intent, actor=TIMER, now=now)
