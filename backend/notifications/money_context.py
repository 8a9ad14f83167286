"""What a notice says of money: what is to be paid, what came in, what goes back. Sums are rupees with two decimals."""

from __future__ import annotations

from django.conf import settings

from backend.bookings import payment_status, policy
from backend.bookings.guarantees import payment_terms
from backend.bookings.machine import AWAITS_PAYMENT, Reason, State
from backend.bookings.models import PaymentMode
from backend.bookings.payment_status import PaymentStatus
from backend.bookings.refund_policy import cancellation_refund_paise, refund_deadline
from backend.core import formatting
from backend.core.errors import required
from backend.notifications.notification_context import NotificationContext, TemplateContext
from backend.payments import upi
from backend.payments.models import Payment, PaymentMethod, PaymentState, Refund, RefundState


def amount_due(notification: NotificationContext) -> TemplateContext:
    """What is to be paid, by when (never the grace), and in which ways."""
    booking = notification.booking
    terms = payment_terms(booking)
    pay_url = f"{settings.FRONTEND_URL}/payment?id={booking.acknowledgement_id}"
    return {
        "amount": formatting.grouped_rupees(terms.amount_paise),
        "pay_by": formatting.day_and_time(terms.pay_by),
        "wants_to_pay_in_person": booking.payment_mode == PaymentMode.OFFLINE,
        "pay_url": pay_url if settings.PAYMENT_GATEWAY else "",
    }


def payment_summary(notification: NotificationContext) -> TemplateContext:
    """`paid | sponsored | due_at_practice | not_needed`; empty, and so unsaid, where the rows allow no claim."""
    booking = notification.booking
    payment = payment_status.paid_payment(booking)
    if payment is not None:  # also when some of it went back: a refund has a mail of its own
        return {"money": PaymentStatus.PAID.value, "amount": formatting.grouped_rupees(payment.captured_paise)}
    status = payment_status.payment_status(booking)
    facts: TemplateContext = {"money": "" if status is PaymentStatus.OPEN else status.value}
    if booking.amount_paise and not booking.is_sponsored:
        facts["amount"] = formatting.grouped_rupees(booking.amount_paise)
    if status is PaymentStatus.DUE_AT_PRACTICE and upi.is_offered():
        facts["upi"] = upi.address(booking.amount_paise or 0, booking.acknowledgement_id)
        facts["upi_id"] = settings.UPI_ID
    return facts


def amount_due_or_paid(notification: NotificationContext) -> TemplateContext:
    """What is still to be paid, or how it was."""
    return amount_due(notification) if notification.booking.state in AWAITS_PAYMENT else payment_summary(notification)


# -- an attempt --------------------------------------------------------------------------------------------------------


def failed_attempt(notification: NotificationContext) -> TemplateContext:
    """Whether the bank said no, or nothing came."""
    entry = required(notification.entry, "ledger entry", notification.message)
    return {"is_declined": entry.reason == Reason.ATTEMPT_FAILED}


def returned_payment(notification: NotificationContext) -> TemplateContext:
    """A payment that we cannot use, and how the booking stood when this was written."""
    payment, booking = required(notification.payment, "payment", notification.message), notification.booking
    is_payable = booking.state in AWAITS_PAYMENT and booking.pay_by is not None and booking.pay_by > notification.now
    return {
        "returned": _sum(payment.captured_paise, payment.captured_currency),
        "written": formatting.day_and_time(notification.now),
        "stands": booking.state,
        "starts": formatting.day_and_time(booking.slot_start) if booking.slot_start else "",
        **(amount_due(notification) if is_payable else {}),
    }


def voided_payment(notification: NotificationContext) -> TemplateContext:
    """The sum that we had noted as paid."""
    payment = required(notification.payment, "payment", notification.message)
    return {"noted": _sum(payment.captured_paise, payment.captured_currency)}


def unexpected_payment(notification: NotificationContext) -> TemplateContext:
    """The same payment as the desk sees it."""
    payment = required(notification.payment, "payment", notification.message)
    return {
        "received": _sum(payment.captured_paise, payment.captured_currency),
        "expected": _sum(payment.amount_paise, payment.currency),
        "reference": payment.reference,
        "state": State(notification.booking.state).label.lower(),
    }


# -- what a cancellation gives back ------------------------------------------------------------------------------------


def refund_terms(notification: NotificationContext) -> TemplateContext:
    """What a visitor who cancels from now on gets back, and until when; sums are empty where nothing was paid."""
    booking = notification.booking
    left = payment_status.left_paise(booking)
    back = cancellation_refund_paise(booking, asked_at=notification.now)
    ends_at = refund_deadline(booking)
    return {
        "comes_back": formatting.grouped_rupees(back) if back else "",
        "stays": formatting.grouped_rupees(left) if left and not back else "",
        "refund_until": formatting.day_and_time(ends_at) if ends_at else "",
    }


def promised_refund(notification: NotificationContext) -> TemplateContext:
    """What the link of this very request gives back: judged by when it was asked for, as the page will judge it."""
    booking = notification.booking
    left = payment_status.left_paise(booking)
    back = cancellation_refund_paise(booking, asked_at=notification.message.created_at)
    return {
        "promised": formatting.grouped_rupees(back) if back else "",
        "stays": formatting.grouped_rupees(left) if left and not back else "",
        "is_unpaid": booking.state in AWAITS_PAYMENT,
    }


def cancellation_refund(notification: NotificationContext) -> TemplateContext:
    """What goes back with the cancellation itself; a refund that staff grant later has a mail of its own."""
    refund, booking = notification.refund, notification.booking
    left = payment_status.left_paise(booking)
    unfinished = Payment.objects.filter(booking=booking).exclude(state=PaymentState.CAPTURED)
    paid = payment_status.paid_payment(booking) is not None
    return {
        "refund": _of(refund) if refund else "",
        "stays": formatting.grouped_rupees(left) if left else "",
        "may_still_arrive": not paid and unfinished.exists(),
    }


def refund(notification: NotificationContext) -> TemplateContext:
    """A sum on its way back, and the way: through the bank, at the desk, or by hand when the gateway did not do it."""
    refund = required(notification.refund, "refund", notification.message)
    way = "online"
    if refund.payment.method == PaymentMethod.DESK:
        way = "desk"
    elif refund.state == RefundState.REFUSED:
        way = "by_hand"
    elif refund.state == RefundState.UNFINISHED:
        way = "unfinished"
    return {
        "refund": _of(refund),
        "refund_way": way,
        "refund_reference": refund.reference,
        "is_of_unexpected": refund.payment.is_unexpected,
    }


def _of(refund: Refund) -> str:
    return _sum(refund.amount_paise, refund.payment.captured_currency)


def _sum(paise: int, currency: str) -> str:
    """With its sign, because a payment may arrive in a currency that nobody asked for."""
    return formatting.money(paise, currency or policy.CURRENCY)
