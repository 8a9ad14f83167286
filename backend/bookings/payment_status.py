"""How a booking stands with its money: what was paid, what went back, and what a visitor who cancels gets back."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from django.db.models import Sum

from backend.bookings import policy
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.payments.models import Payment, PaymentState, RefundState

CALLED_OFF = (State.CANCELLED, State.REJECTED, State.PAYMENT_FAILED)  # no session, so nothing is to be paid


class PaymentStatus(StrEnum):
    """How far the money of a booking is; derived from the rows, stored nowhere."""

    NOT_NEEDED = "not_needed"
    DUE_AT_PRACTICE = "due_at_practice"
    SPONSORED = "sponsored"
    OPEN = "open"
    PAID = "paid"
    PART_REFUNDED = "part_refunded"
    REFUNDED = "refunded"


def payment_status(booking: Booking) -> PaymentStatus:
    """Money that came in speaks first, then who else pays, then whether anything is to be paid at all."""
    payment = paid_payment(booking)
    if payment is not None:
        left = refundable_paise(payment)
        if left == payment.captured_paise:
            return PaymentStatus.PAID
        return PaymentStatus.PART_REFUNDED if left > 0 else PaymentStatus.REFUNDED
    if booking.is_sponsored and booking.state != State.PENDING:  # before approval nobody knows if it is covered
        return PaymentStatus.SPONSORED
    if booking.amount_paise == 0 or booking.state in CALLED_OFF:
        return PaymentStatus.NOT_NEEDED
    if booking.amount_paise is not None and booking.is_due_at_practice:
        return PaymentStatus.DUE_AT_PRACTICE
    return PaymentStatus.OPEN


def paid_payment(booking: Booking) -> Payment | None:
    """The payment that pays for this booking, if any."""
    return Payment.objects.filter(booking=booking, state=PaymentState.CAPTURED, is_unexpected=False).first()


def refundable_paise(payment: Payment) -> int:
    """What was captured and has not been given back or promised yet."""
    promised = payment.refunds.exclude(state=RefundState.REFUSED).aggregate(sum=Sum("amount_paise"))["sum"] or 0
    return payment.captured_paise - int(promised)


def left_paise(booking: Booking) -> int:
    """What the practice holds of the visitor's money for this booking, in paise."""
    payment = paid_payment(booking)
    return refundable_paise(payment) if payment is not None else 0


def comes_back_paise(booking: Booking, *, asked_at: datetime) -> int:
    """What a visitor who asks to cancel at `asked_at` gets back, in paise: all that is left, or nothing.

    After a move by staff all of it, until the start; otherwise, CANCEL_NOTICE ahead, as the policy says.
    """
    left = left_paise(booking)
    if booking.moved_by_staff_at is not None:
        return left
    ends_at = refund_ends_at(booking)
    is_in_time = ends_at is not None and asked_at <= ends_at
    return left if is_in_time and policy.REFUND_ON_VISITOR_CANCELLATION == "full" else 0


def move_until(booking: Booking) -> datetime | None:
    """Until when a visitor may move the session; None where they may not, or not any more."""
    if booking.slot_start is None or booking.moves_by_visitor >= policy.MOVES_BY_VISITOR:
        return None
    return booking.slot_start - policy.CANCEL_NOTICE


def refund_ends_at(booking: Booking) -> datetime | None:
    """Until when a visitor's cancellation is in time; None without a slot."""
    return booking.slot_start - policy.CANCEL_NOTICE if booking.slot_start is not None else None
