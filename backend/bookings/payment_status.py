"""How far the money of a booking is: what was paid, what went back, and what is left."""

from __future__ import annotations

from enum import StrEnum

from django.db.models import Exists, OuterRef, Q, Sum

from backend.bookings.machine import State
from backend.bookings.models import DUE_AT_PRACTICE, Booking
from backend.payments.models import Payment, RefundState

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


def is_paid() -> Exists:
    """`paid_payment` as a condition on many bookings."""
    return Exists(Payment.objects.counted().filter(booking=OuterRef("pk")))


def owes_at_practice() -> Q:
    """`PaymentStatus.DUE_AT_PRACTICE` as a condition on many bookings."""
    due = DUE_AT_PRACTICE & Q(amount_paise__gt=0, corporate=None) & ~Q(state__in=CALLED_OFF)
    return due & ~Q(is_paid())


def paid_payment(booking: Booking) -> Payment | None:
    """The payment that pays for this booking, if any."""
    return Payment.objects.counted().filter(booking=booking).first()


def refundable_paise(payment: Payment) -> int:
    """What was captured and has not been given back or promised yet."""
    promised = payment.refunds.exclude(state=RefundState.REFUSED).aggregate(sum=Sum("amount_paise"))["sum"] or 0
    return payment.captured_paise - int(promised)


def left_paise(booking: Booking) -> int:
    """What the practice holds of the visitor's money for this booking, in paise."""
    payment = paid_payment(booking)
    return refundable_paise(payment) if payment is not None else 0
