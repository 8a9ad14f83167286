"""Which refunds wait for somebody's hand."""

from __future__ import annotations

from backend.bookings.models import Booking
from backend.bookings.payment_status import refundable_paise
from backend.payments.models import PaymentMethod, Refund, RefundState


def refunds_to_settle(booking: Booking) -> list[Refund]:
    """Refunds that somebody must hand out: those of desk money, and those that the gateway refused.

    Not a refused one whose money was promised anew since: it would be given twice.
    """
    refunds = Refund.objects.filter(payment__booking=booking).exclude(state=RefundState.DONE).select_related("payment")
    return [refund for refund in refunds.order_by("pk") if _is_ours_to_settle(refund)]


def _is_ours_to_settle(refund: Refund) -> bool:
    if refund.state == RefundState.REFUSED:
        return refund.amount_paise <= refundable_paise(refund.payment)
    return refund.payment.method == PaymentMethod.DESK
