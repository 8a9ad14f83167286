"""What a notice says of money: what is to be paid, what came in, what goes back. Sums are rupees with two decimals."""

from __future__ import annotations

from django.conf import settings

from backend.bookings import policy, standing, wording
from backend.bookings.machine import Reason, State
from backend.bookings.models import PaymentMode
from backend.bookings.notices.occasion import Facts, Occasion
from backend.bookings.standing import PaymentStatus
from backend.payments.models import Payment, PaymentMethod, PaymentState, Refund, RefundState

PAYING = (State.APPROVED, State.PAYMENT_PENDING)
HAS_PAID = (PaymentStatus.PAID, PaymentStatus.PART_REFUNDED, PaymentStatus.REFUNDED)


def price(occasion: Occasion) -> Facts:
    """What is to be paid, by when (never the grace), and in which ways."""
    booking = occasion.booking
    assert booking.amount_paise is not None
    assert booking.pay_by is not None
    pay_url = f"{settings.FRONTEND_URL}/payment?id={booking.acknowledgement_id}"
    return {
        "amount": wording.rupees(booking.amount_paise),
        "pay_by": wording.day_and_time(booking.pay_by),
        "wants_to_pay_in_person": booking.payment_mode == PaymentMode.OFFLINE,
        "pay_url": pay_url if settings.PAYMENT_GATEWAY else "",
    }


def money(occasion: Occasion) -> Facts:
    """`paid | sponsored | due_at_practice | not_needed`; empty, and so unsaid, where the rows allow no claim."""
    booking = occasion.booking
    status = standing.payment_status(booking)
    payment = standing.paid_payment(booking)
    if payment is not None and status in HAS_PAID:
        return {"money": PaymentStatus.PAID.value, "amount": wording.rupees(payment.captured_paise)}
    facts: Facts = {"money": "" if status is PaymentStatus.OPEN else status.value}
    if booking.amount_paise and not booking.is_sponsored:
        facts["amount"] = wording.rupees(booking.amount_paise)
    return facts


def price_or_money(occasion: Occasion) -> Facts:
    """What is still to be paid, or how it was."""
    return price(occasion) if occasion.booking.state in PAYING else money(occasion)


# -- an attempt --------------------------------------------------------------------------------------------------------


def attempt(occasion: Occasion) -> Facts:
    """Whether the bank said no, or nothing came."""
    assert occasion.entry is not None
    return {"is_declined": occasion.entry.reason == Reason.ATTEMPT_FAILED}


def returned(occasion: Occasion) -> Facts:
    """A payment that we cannot use, and how the booking stood when this was written."""
    payment, booking = occasion.payment, occasion.booking
    assert payment is not None
    is_payable = booking.state in PAYING and booking.pay_by is not None and booking.pay_by > occasion.now
    return {
        "returned": _sum(payment.captured_paise, payment.captured_currency),
        "written": wording.day_and_time(occasion.now),
        "stands": booking.state,
        "starts": wording.day_and_time(booking.slot_start) if booking.slot_start else "",
        **(price(occasion) if is_payable else {}),
    }


def unexpected(occasion: Occasion) -> Facts:
    """The same payment as the desk sees it."""
    payment = occasion.payment
    assert payment is not None
    return {
        "received": _sum(payment.captured_paise, payment.captured_currency),
        "expected": _sum(payment.amount_paise, payment.currency),
        "reference": payment.reference,
        "state": State(occasion.booking.state).label.lower(),
    }


# -- what a cancellation gives back ------------------------------------------------------------------------------------


def terms(occasion: Occasion) -> Facts:
    """What a visitor who cancels from now on gets back, and until when; sums are empty where nothing was paid."""
    booking = occasion.booking
    left = standing.left_paise(booking)
    back = standing.comes_back_paise(booking, asked_at=occasion.now)
    ends_at = standing.refund_ends_at(booking)
    is_timed = policy.REFUND_ON_VISITOR_CANCELLATION == "full" and booking.moved_by_staff_at is None
    return {
        "comes_back": wording.rupees(back) if back else "",
        "stays": wording.rupees(left) if left and not back else "",
        "refund_until": wording.day_and_time(ends_at) if ends_at and is_timed else "",
    }


def promise(occasion: Occasion) -> Facts:
    """What the link of this very request gives back: judged by when it was asked for, as the page will judge it."""
    booking = occasion.booking
    left = standing.left_paise(booking)
    back = standing.comes_back_paise(booking, asked_at=occasion.message.created_at)
    return {
        "promised": wording.rupees(back) if back else "",
        "stays": wording.rupees(left) if left and not back else "",
        "is_unpaid": booking.state in PAYING,
    }


def settlement(occasion: Occasion) -> Facts:
    """What goes back with the cancellation itself; a refund that staff grant later has a mail of its own."""
    refund, booking = occasion.refund, occasion.booking
    left = standing.left_paise(booking)
    unfinished = Payment.objects.filter(booking=booking).exclude(state=PaymentState.CAPTURED)
    paid = standing.paid_payment(booking) is not None
    return {
        "refund": _of(refund) if refund else "",
        "stays": wording.rupees(left) if left and not refund else "",
        "may_still_arrive": not paid and unfinished.exists(),
    }


def refund(occasion: Occasion) -> Facts:
    """A sum on its way back, and the way: through the bank, at the desk, or by hand when the gateway refused."""
    refund = occasion.refund
    assert refund is not None
    way = "online"
    if refund.payment.method == PaymentMethod.DESK:
        way = "desk"
    elif refund.state == RefundState.REFUSED:
        way = "by_hand"
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
    amount = wording.rupees(paise)
    return f"₹{amount}" if currency in ("", policy.CURRENCY) else f"{amount} {currency}"
