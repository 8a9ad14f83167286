"""How far the money of a booking is: what was paid, what went back, and what is left."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from operator import attrgetter

from django.db.models import Exists, OuterRef, Q

from backend.bookings import policy
from backend.bookings.machine import AWAITS_PAYMENT, TAKES_PLACE, State
from backend.bookings.models import DUE_AT_PRACTICE, Booking
from backend.payments.models import NOT_PROMISED, Payment, PaymentMethod, Refund, RefundState

CALLED_OFF = (State.CANCELLED, State.REJECTED, State.PAYMENT_FAILED)  # no session, so nothing is to be paid


class PaymentStatus(StrEnum):
    """How far the money of a booking is; derived from the rows, stored nowhere."""

    NOT_NEEDED = "not_needed"
    DUE_AT_PRACTICE = "due_at_practice"
    SPONSORED = "sponsored"
    OPEN = "open"
    PAID = "paid"
    # a refund in the making is neither money that we keep nor money that is back
    REFUND_UNDER_WAY = "refund_under_way"  # at the gateway
    REFUND_TO_HAND_OUT = "refund_to_hand_out"  # at the desk
    REFUND_REFUSED = "refund_refused"  # by the gateway; staff must find another way
    PART_REFUNDED = "part_refunded"  # made
    REFUNDED = "refunded"  # made


OPEN_REFUNDS = (PaymentStatus.REFUND_UNDER_WAY, PaymentStatus.REFUND_TO_HAND_OUT, PaymentStatus.REFUND_REFUSED)
MONEY_CAME = (PaymentStatus.PAID, *OPEN_REFUNDS, PaymentStatus.PART_REFUNDED, PaymentStatus.REFUNDED)


def payment_status(booking: Booking) -> PaymentStatus:
    """Money that came in speaks first, then who else pays, then whether anything is to be paid at all.

    A session that is settled can be paid for at the practice alone: its payment was recorded by mistake.
    """
    payment = paid_payment(booking)
    if payment is not None:
        return _refund_status(payment)
    if booking.is_sponsored and booking.state != State.PENDING:  # before approval nobody knows if it is covered
        return PaymentStatus.SPONSORED
    if booking.amount_paise == 0 or booking.state in CALLED_OFF:
        return PaymentStatus.NOT_NEEDED
    if booking.amount_paise is not None and (booking.is_due_at_practice or booking.state in TAKES_PLACE):
        return PaymentStatus.DUE_AT_PRACTICE
    return PaymentStatus.OPEN


def _refund_status(payment: Payment) -> PaymentStatus:
    """What waits speaks first, then how the last one ended, then how much is back."""
    kept = (refund for refund in payment.refunds.all() if refund.state != RefundState.WITHDRAWN)
    refunds = sorted(kept, key=attrgetter("pk"))
    if any(refund.state in (RefundState.QUEUED, RefundState.UNFINISHED) for refund in refunds):
        is_at_desk = payment.method == PaymentMethod.DESK
        return PaymentStatus.REFUND_TO_HAND_OUT if is_at_desk else PaymentStatus.REFUND_UNDER_WAY
    if refunds and refunds[-1].state == RefundState.REFUSED:
        return PaymentStatus.REFUND_REFUSED
    made = sum(refund.amount_paise for refund in refunds if refund.state == RefundState.DONE)
    if not made:
        return PaymentStatus.PAID
    return PaymentStatus.PART_REFUNDED if made < payment.captured_paise else PaymentStatus.REFUNDED


def is_refund_open(booking: Booking) -> bool:
    """Whether money is on its way back, or staff must find another way; also of what came unexpectedly."""
    payments = Payment.objects.filter(booking=booking, refunds__isnull=False).distinct()
    return any(_refund_status(payment) in OPEN_REFUNDS for payment in payments)


def refund_made_at(booking: Booking) -> datetime | None:
    """When money of this booking went back last."""
    made = Refund.objects.filter(payment__booking=booking, payment__is_unexpected=False, state=RefundState.DONE)
    return made.order_by("-settled_at").values_list("settled_at", flat=True).first()


def is_paid() -> Exists:
    """`paid_payment` as a condition on many bookings."""
    return Exists(Payment.objects.counted().filter(booking=OuterRef("pk")))


def owes_at_practice() -> Q:
    """`PaymentStatus.DUE_AT_PRACTICE` as a condition on many bookings."""
    at_practice = DUE_AT_PRACTICE | Q(state__in=TAKES_PLACE)
    due = at_practice & Q(amount_paise__gt=0, corporate=None) & ~Q(state__in=CALLED_OFF)
    return due & ~Q(is_paid())


def takes_desk_payment() -> Q:
    """Whether staff may record money in hand, as a condition on many bookings: what waits for it, or owes it here."""
    waits = Q(state__in=AWAITS_PAYMENT) & ~Q(is_paid())
    return waits | (owes_at_practice() & Q(state__in=TAKES_PLACE))


def paid_payment(booking: Booking) -> Payment | None:
    """The payment that pays for this booking, if any; asks nothing where a page has loaded `payments__refunds`."""
    return next((payment for payment in booking.payments.all() if payment.counts), None)


def answer_by(booking: Booking, *, now: datetime) -> datetime | None:
    """By when we write about the payment that is open: at the attempt's end, and past it once nobody is asked more."""
    if booking.due_at is None or booking.due_at > now:
        return booking.due_at
    return booking.due_at + policy.GATEWAY_ASK_FOR


def refundable_paise(payment: Payment) -> int:
    """What was captured and has not been given back or promised yet."""
    promised = sum(refund.amount_paise for refund in payment.refunds.all() if refund.state not in NOT_PROMISED)
    return payment.captured_paise - promised


def left_paise(booking: Booking) -> int:
    """What the practice holds of the visitor's money for this booking, in paise."""
    payment = paid_payment(booking)
    return refundable_paise(payment) if payment is not None else 0
