"""Taking back a payment at the desk that was recorded by mistake: its row stays and says so, and no money moves."""

from __future__ import annotations

from datetime import datetime

from backend.bookings import policy
from backend.bookings.guarantees import held_session
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import PaymentVoided
from backend.bookings.lifecycle import receipts
from backend.bookings.lifecycle.attempts import note_on_sum
from backend.bookings.lifecycle.notify import notify_psychologist, notify_visitor
from backend.bookings.lifecycle.refunds import renew_promise
from backend.bookings.lifecycle.transaction import intent, lock_booking, run_transition
from backend.bookings.machine import HOLDS_SLOT, State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.bookings.payment_status import desk_payments, left_paise, paid_paise
from backend.core.errors import Code, Refused
from backend.outbox.models import Message, MessageState
from backend.payments.models import Payment, PaymentState, RefundState, VoidReason


@intent
def void_desk_payment(booking_id: int, why: VoidReason, *, reference: str = "", actor: str, now: datetime) -> Booking:
    """CONFIRMED → APPROVED while its `pay_by` is ahead; later, of a part, or with payment at the practice, none.

    Without a reference it is the last one. The sum is then due again; a booking that was called off owes nothing.
    Refuses: booking_unknown, not_paid_at_desk (nothing stands, or the gateway has it), payment_given_back,
    money_returning.
    """
    booking = lock_booking(booking_id)
    standing = [one for one in desk_payments(booking) if reference in ("", one.reference)]
    if not standing:
        raise Refused(Code.NOT_PAID_AT_DESK)
    payment = standing[-1]
    if left_paise(booking) < paid_paise(booking):
        raise Refused(Code.PAYMENT_GIVEN_BACK)
    if _is_returning(booking):
        raise Refused(Code.MONEY_RETURNING)
    payment.state, payment.closed_at = PaymentState.VOIDED, now
    payment.save(update_fields=["state", "closed_at"])
    if booking.state == State.CONFIRMED and booking.pay_by is not None and now < booking.pay_by:
        _ask_to_pay_again(booking, payment, booking.pay_by, why, actor=actor, now=now)
    else:
        details = PaymentVoided(payment.pk, payment.captured_paise, why)
        note_on_sum(booking, intent=Intent.VOID_DESK_PAYMENT, details=details, actor=actor, now=now)
        if booking.state in HOLDS_SLOT:  # they were told that it is paid
            notify_visitor(booking, Notice.PAYMENT_VOIDED, now=now)
    renew_promise(booking, now=now)
    receipts.take_back(payment, payment.captured_paise, now=now)
    return booking


def _is_returning(booking: Booking) -> bool:
    """Whether money that the visitor paid beside it is with us or the gateway still."""
    beside = Payment.objects.filter(booking=booking, state=PaymentState.CAPTURED, is_unexpected=True)
    return beside.filter(refunds__isnull=False).exclude(refunds__state=RefundState.DONE).exists()


def _ask_to_pay_again(
    booking: Booking, payment: Payment, pay_by: datetime, why: VoidReason, *, actor: str, now: datetime
) -> None:
    """The slot stays held. Both sides had been told that the session is confirmed."""
    starts_at = held_session(booking).start
    booking.pay_by = min(pay_by, starts_at)  # it may have been moved since
    due_at = policy.payment_deadline(booking.pay_by, starts_at)
    run_transition(
        booking,
        lambda: booking.void_payment(due_at=due_at),
        intent=Intent.VOID_DESK_PAYMENT,
        actor=actor,
        now=now,
        saving=["pay_by"],
        details=PaymentVoided(payment.pk, payment.captured_paise, why, was_confirmed_for=starts_at),
    )
    notify_visitor(booking, Notice.PAYMENT_VOIDED, now=now)
    notify_psychologist(booking, Notice.PSYCHOLOGIST_SESSION_UNCONFIRMED, now=now)
    planned = Message.objects.filter(booking_id=booking.pk, kind=Notice.PAYMENT_STILL_DUE, state=MessageState.WAITING)
    if not planned.exists():
        reminded_at = policy.payment_reminder(now, booking.pay_by)
        notify_visitor(booking, Notice.PAYMENT_STILL_DUE, now=now, not_before=reminded_at)
