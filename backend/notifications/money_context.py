"""What a notice says of money: what is to be paid, what came in, what goes back. Sums are rupees with two decimals."""

from __future__ import annotations

from django.conf import settings

from backend.bookings import policy
from backend.bookings.guarantees import payment_terms
from backend.bookings.machine import AWAITS_PAYMENT, Reason, State
from backend.bookings.models import Booking, PaymentMode
from backend.bookings.payment_status import (
    OWED_HERE,
    PaymentStatus,
    left_paise,
    outstanding_paise,
    paid_paise,
    paid_payments,
    payment_status,
)
from backend.bookings.refund_policy import cancellation_refund_paise, refund_deadline
from backend.core import formatting
from backend.core.errors import required
from backend.notifications.notification_context import NotificationContext, TemplateContext
from backend.payments import upi
from backend.payments.models import PaymentMethod, PaymentState, Refund, RefundState


def amount_due(notification: NotificationContext) -> TemplateContext:
    """What is left to pay, by when (never the grace), and in which ways; what was paid of it, if it was a part."""
    booking = notification.booking
    pay_url = f"{settings.FRONTEND_URL}/payment?id={booking.acknowledgement_id}"
    return {
        "amount": formatting.grouped_rupees(outstanding_paise(booking)),
        "paid": _paid(booking),
        "pay_by": formatting.day_and_time(payment_terms(booking).pay_by),
        "wants_to_pay_in_person": booking.payment_mode == PaymentMode.OFFLINE,
        "pay_url": pay_url if settings.PAYMENT_GATEWAY else "",
    }


def payment_summary(notification: NotificationContext) -> TemplateContext:
    """`paid | sponsored | due_at_practice | not_needed`; empty, and so unsaid, where the rows allow no claim."""
    booking = notification.booking
    left = outstanding_paise(booking)
    if paid_payments(booking) and not left:  # also when some of it went back: a refund has a mail of its own
        return {"money": PaymentStatus.PAID.value, "amount": formatting.grouped_rupees(paid_paise(booking))}
    status = payment_status(booking)
    is_owed_here = status in OWED_HERE
    word = PaymentStatus.DUE_AT_PRACTICE if is_owed_here else status
    facts: TemplateContext = {"money": "" if status is PaymentStatus.OPEN else word.value}
    if booking.amount_paise and not booking.is_sponsored:
        facts |= {"amount": formatting.grouped_rupees(left), "paid": _paid(booking)}
    return facts | (_upi(booking) if is_owed_here else {})


def _paid(booking: Booking) -> str:
    """Empty before any money came."""
    paise = paid_paise(booking)
    return formatting.grouped_rupees(paise) if paise else ""


def _upi(booking: Booking) -> TemplateContext:
    """The picture to scan, of what is left to pay."""
    if not upi.is_offered():
        return {}
    text = upi.address(outstanding_paise(booking), booking.acknowledgement_id)
    return {"upi": text, "upi_id": settings.UPI_ID}


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


def received_payment(notification: NotificationContext) -> TemplateContext:
    """The sum that came at the practice, what is left of the price, and how that can be paid, if it is to be now."""
    payment, booking = required(notification.payment, "payment", notification.message), notification.booking
    left = outstanding_paise(booking)
    facts: TemplateContext = {
        "received": _sum(payment.captured_paise, payment.captured_currency),
        "left": formatting.money(left) if left else "",
        "price": formatting.money(booking.amount_paise),
    }
    if not left:
        return facts
    if booking.state not in AWAITS_PAYMENT:
        return facts | _upi(booking)
    is_payable = booking.choose_by is None and booking.pay_by is not None and booking.pay_by > notification.now
    return facts | (amount_due(notification) if is_payable else {})


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
    left = left_paise(booking)
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
    left = left_paise(booking)
    back = cancellation_refund_paise(booking, asked_at=notification.message.created_at)
    return {
        "promised": formatting.grouped_rupees(back) if back else "",
        "stays": formatting.grouped_rupees(left) if left and not back else "",
        "is_unpaid": booking.state in AWAITS_PAYMENT,
    }


def cancellation_refund(notification: NotificationContext) -> TemplateContext:
    """What goes back with the cancellation itself; a refund that staff grant later has a mail of its own."""
    refunds, booking = notification.refunds, notification.booking
    left = left_paise(booking)
    unfinished = [payment for payment in notification.payments if payment.state != PaymentState.CAPTURED]
    return {
        "refund": _of(refunds) if refunds else "",
        "stays": formatting.grouped_rupees(left) if left else "",
        "may_still_arrive": not paid_payments(booking) and bool(unfinished),
    }


def refund(notification: NotificationContext) -> TemplateContext:
    """A sum on its way back, and the way of each payment's part of it: `online | desk | by_hand | unfinished`."""
    return _going_back(required(notification.refunds or None, "refund", notification.message))


def refund_by_hand(notification: NotificationContext) -> TemplateContext:
    """What of it somebody must hand out or settle, and why the gateway refused."""
    refunds = required(notification.refunds or None, "refund", notification.message)
    ours = [one for one in refunds if _way(one) != "online"] or refunds
    return _going_back(ours) | {"refused_why": ours[0].refused_why}


def _going_back(refunds: list[Refund]) -> TemplateContext:
    return {
        "refund": _of(refunds),
        "refund_way": _way(refunds[0]),
        "refund_reference": ", ".join(one.reference for one in refunds),
        "refunds": [{"sum": _of([one]), "way": _way(one), "reference": one.reference} for one in refunds],
        "is_of_unexpected": refunds[0].payment.is_unexpected,
    }


def _way(refund: Refund) -> str:
    """Through the bank, at the desk, or by hand when the gateway did not do it."""
    if refund.payment.method == PaymentMethod.DESK:
        return "desk"
    return {RefundState.REFUSED: "by_hand", RefundState.UNFINISHED: "unfinished"}.get(
        RefundState(refund.state), "online"
    )


def _of(refunds: list[Refund]) -> str:
    return _sum(sum(one.amount_paise for one in refunds), refunds[0].payment.captured_currency)


def _sum(paise: int, currency: str) -> str:
    """With its sign, because a payment may arrive in a currency that nobody asked for."""
    return formatting.money(paise, currency or policy.CURRENCY)
