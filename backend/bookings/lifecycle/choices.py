"""A session that the practice cannot hold: the visitor is asked to choose another time, or has all money back.

The booking stays as it is, its slot claimed, until a choice, a cancellation or staff's own move ends the wait, or
`choose_by` passes. That is no state: a session to be paid, being paid or confirmed can wait so.
"""

from __future__ import annotations

from datetime import datetime

from backend.bookings import policy
from backend.bookings.guarantees import deadline, held_session, payment_terms
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import ChoiceOffered
from backend.bookings.lifecycle.callers import require_address
from backend.bookings.lifecycle.cancellation import call_off
from backend.bookings.lifecycle.notify import notify_choice
from backend.bookings.lifecycle.refunds import RefundReason, give_back
from backend.bookings.lifecycle.transaction import TIMER, intent, lock_booking, record_event
from backend.bookings.machine import AWAITS_PAYMENT, HOLDS_SLOT, Reason, State
from backend.bookings.models import Booking
from backend.bookings.payment_status import left_paise
from backend.core.errors import Code, Refused, hindrance


@intent
def offer_choice(booking_id: int, *, actor: str, now: datetime) -> Booking:
    """No transition: the visitor of APPROVED, PAYMENT_PENDING or CONFIRMED may choose another time until `choose_by`.

    They may also cancel, with all money back, until the start. Refuses: booking_unknown, state_refuses, choice_open,
    no_address, choice_too_near.
    """
    booking = lock_booking(booking_id)
    choose_by = _choice_ends_at(booking, now=now)
    booking.choose_by, booking.moved_by_staff_at = choose_by, now
    if booking.state in AWAITS_PAYMENT:
        _put_off_payment(booking, choose_by)
    saving = ["choose_by", "moved_by_staff_at", "pay_by", "due_at"]
    details = ChoiceOffered(choose_by)
    record_event(booking, intent=Intent.OFFER_CHOICE, actor=actor, now=now, saving=saving, details=details)
    notify_choice(booking, now=now)
    return booking


def choice_hindrance(booking: Booking, *, now: datetime) -> Code | None:
    """Why `offer_choice` would be refused; None: it can be offered. No query."""
    return hindrance(_choice_ends_at, booking, now=now)


def _choice_ends_at(booking: Booking, *, now: datetime) -> datetime:
    """Refuses: state_refuses, choice_open, no_address, choice_too_near."""
    if booking.state not in HOLDS_SLOT:
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    if booking.choose_by is not None:
        raise Refused(Code.CHOICE_OPEN, choose_by=booking.choose_by)
    require_address(booking)
    ends_at = policy.choose_by(now, held_session(booking).start)
    if ends_at is None:
        raise Refused(Code.CHOICE_TOO_NEAR)
    return ends_at


@intent
def lapse_choice(booking_id: int, *, now: datetime) -> None:
    """APPROVED, PAYMENT_PENDING, CONFIRMED → CANCELLED `by_staff`, with all money back: no other time was chosen."""
    booking = lock_booking(booking_id)
    if booking.choose_by is None or booking.choose_by > now or booking.state not in HOLDS_SLOT:
        return
    given = give_back(booking, left_paise(booking), reason=RefundReason.BY_STAFF, actor=TIMER, now=now)
    call_off(booking, Reason.BY_STAFF, given, intent=Intent.LAPSE_CHOICE, actor=TIMER, now=now)


def _put_off_payment(booking: Booking, choose_by: datetime) -> None:
    """Nobody is to pay for a session that cannot be held, nor to lose it for that before the choice ends."""
    booking.pay_by = max(payment_terms(booking).pay_by, choose_by)
    if booking.state == State.APPROVED:
        due_at = policy.payment_deadline(booking.pay_by, held_session(booking).start)
        booking.due_at = max(deadline(booking), due_at)
