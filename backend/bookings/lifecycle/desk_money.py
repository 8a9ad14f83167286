"""Money that is handed over at the practice: the whole sum, or a part of it, each with a payment and a receipt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from backend.bookings import policy
from backend.bookings.guarantees import held_session, payment_terms
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import Captured
from backend.bookings.lifecycle import receipts
from backend.bookings.lifecycle.attempts import lock_open_attempts, note_on_sum
from backend.bookings.lifecycle.notify import notify_visitor
from backend.bookings.lifecycle.payments import confirm
from backend.bookings.lifecycle.refunds import new_reference, renew_promise
from backend.bookings.lifecycle.transaction import intent, lock_booking
from backend.bookings.machine import AWAITS_PAYMENT, TAKES_PLACE
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.bookings.payment_status import OWED_HERE, is_paid_up, outstanding_paise, payment_status
from backend.core import formatting
from backend.core.errors import Code, Refused
from backend.payments.models import DeskMeans, Payment, PaymentMethod, PaymentState


@dataclass(frozen=True)
class Handed:
    """How money came at the practice: the bank's reference if there is one, the day unless it is today, and the sum
    unless it is all that is left to pay."""

    means: DeskMeans = DeskMeans.CASH
    reference: str = ""
    on: date | None = None
    amount_paise: int | None = None


def may_have_come(on: date, *, now: datetime) -> bool:
    """Whether money that is recorded now can have come on this day of the practice."""
    today = timezone.localdate(now)
    return today - policy.DESK_MONEY_OLDEST <= on <= today


@intent
def record_desk_payment(booking_id: int, handed: Handed = Handed(), *, actor: str, now: datetime) -> Booking:
    """APPROVED or PAYMENT_PENDING → CONFIRMED once the sum is complete; a part leads PAYMENT_PENDING → APPROVED.

    For a session due at the practice only the money's row. Refuses: booking_unknown, already_paid, state_refuses,
    money_day_invalid, amount_exceeds_rest, pay_by_passed (for a part: nobody may be left waiting for the rest).
    """
    if handed.on is not None and not may_have_come(handed.on, now=now):
        raise Refused(Code.MONEY_DAY_INVALID)
    booking = lock_booking(booking_id)
    if is_paid_up(booking):
        raise Refused(Code.ALREADY_PAID)
    is_due_later = booking.state in TAKES_PLACE and payment_status(booking) in OWED_HERE
    if booking.state not in AWAITS_PAYMENT and not is_due_later:
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    payment = _take(booking, handed, now=now)
    details = Captured(payment.pk, payment.captured_paise)
    left = outstanding_paise(booking)
    if is_due_later or left:
        note_on_sum(booking, intent=Intent.RECORD_DESK_PAYMENT, details=details, actor=actor, now=now)
        notify_visitor(booking, Notice.PAYMENT_RECEIVED, now=now)
        renew_promise(booking, now=now)
    else:
        confirm(
            booking,
            lock_open_attempts(booking),
            intent=Intent.RECORD_DESK_PAYMENT,
            details=details,
            actor=actor,
            now=now,
        )
    receipts.issue(booking, payment, left_paise=left, now=now)
    return booking


def _take(booking: Booking, handed: Handed, *, now: datetime) -> Payment:
    """Refuses: amount_exceeds_rest, pay_by_passed."""
    left = outstanding_paise(booking)
    amount = left if handed.amount_paise is None else handed.amount_paise
    if not 0 < amount <= left:
        raise Refused(Code.AMOUNT_EXCEEDS_REST, left=formatting.money(left))
    if amount < left and booking.state in AWAITS_PAYMENT and now >= _deadline(booking):
        raise Refused(Code.PAY_BY_PASSED)
    return Payment.objects.create(
        booking=booking,
        reference=new_reference("DESK"),
        method=PaymentMethod.DESK,
        amount_paise=amount,
        currency=policy.CURRENCY,
        state=PaymentState.CAPTURED,
        captured_paise=amount,
        captured_currency=policy.CURRENCY,
        paid_by=handed.means,
        bank_reference=handed.reference,
        received_on=handed.on,
        started_at=now,
        captured_at=now,
        closed_at=now,
    )


def _deadline(booking: Booking) -> datetime:
    return policy.payment_deadline(payment_terms(booking).pay_by, held_session(booking).start)
