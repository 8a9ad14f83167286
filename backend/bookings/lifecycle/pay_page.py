"""What our page says that leads to a gateway's: how far the payment of a booking is, asked of the gateway now and then.

Nothing begins here: the page's button does, by `attempts.start_payment`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db.models import Q

from backend.bookings import links, policy
from backend.bookings.guarantees import deadline
from backend.bookings.lifecycle.payments import complete_payment
from backend.bookings.machine import AWAITS_PAYMENT, TAKES_PLACE, State
from backend.bookings.models import Booking, Purpose
from backend.bookings.payment_status import answer_by, is_paid_up, outstanding_paise, paid_paise, paid_payments
from backend.core.errors import Code, Permanent, Refused, Transient
from backend.payments.gateway import LastTry
from backend.payments.models import PageState, Payment, PaymentMethod, PaymentState

log = logging.getLogger(__name__)

ASKED_EVERY = timedelta(seconds=4)  # of one payment, however many look at its page; an ask takes 5 s at the longest


class Stage(StrEnum):
    """How far it is, in the order in which a visitor meets them."""

    TO_PAY = "to_pay"  # nothing was tried, or the try was left
    BEING_MADE = "being_made"  # begun; the payments worker makes the gateway's page
    CHECKING = "checking"  # back from the gateway, which was asked a moment too early
    UNCONFIRMED = "unconfirmed"  # the bank has not spoken: nobody may be told to pay again
    ENDING = "ending"  # the time of the gateway's page is over; the attempt ends once the gateway was asked
    DECLINED = "declined"  # no money was taken by the last try
    PAID = "paid"


@dataclass(frozen=True)
class Standing:
    """`payment`: the one that pays, or the last attempt; None before the first."""

    stage: Stage
    booking: Booking
    payment: Payment | None = None
    answer_by: datetime | None = None  # of UNCONFIRMED

    @property
    def amount_paise(self) -> int:
        """What was paid, or is to be."""
        if self.stage is Stage.PAID:
            return paid_paise(self.booking)
        is_open = self.payment is not None and self.payment.state == PaymentState.OPEN
        return self.payment.amount_paise if is_open and self.payment else outstanding_paise(self.booking)

    @property
    def hosted_page(self) -> str:
        """Where the gateway takes the money; "" unless it may be paid there now."""
        is_payable = self.stage in (Stage.TO_PAY, Stage.DECLINED) and self.booking.state == State.PAYMENT_PENDING
        return self.payment.pay_url if is_payable and self.payment is not None and _is_made(self.payment) else ""


def standing(token: str, reference: str, *, now: datetime, asks: bool = True) -> Standing:
    """How far the payment is behind a mailed link, or else of the booking that an attempt was made for.

    With `asks` the gateway is asked first, within its 5 s, unless somebody has just done so.

    Refuses: link_unknown, link_expired, payment_unknown, nothing_to_pay, choice_open, pay_by_passed,
    payments_unavailable, payment_returned, state_refuses.
    """
    is_mailed = token or not reference
    booking, named = _by_token(token, now=now) if is_mailed else _by_reference(reference, now=now)
    asked = named or Payment.objects.open().filter(booking=booking).first()
    doubt = _ask(asked, now=now) if asks and asked is not None else None
    booking.refresh_from_db()
    if named is not None:
        named.refresh_from_db()
    found = _judge(booking, named, now=now)
    # who comes back from the gateway may have paid since; who comes by a mail has not been there
    if doubt and named is not None and found.payment == named and found.stage in (Stage.TO_PAY, Stage.DECLINED):
        return Standing(doubt, booking, named, answer_by(booking, now=now))
    return found


def _by_token(token: str, *, now: datetime) -> tuple[Booking, None]:
    return links.readable(links.find(token, Purpose.PAY), now=now), None


def _by_reference(reference: str, *, now: datetime) -> tuple[Booking, Payment]:
    """Its hundred random bits are as good as a token, and it opens the page for as long."""
    found = Payment.objects.select_related("booking").filter(method=PaymentMethod.ONLINE, booking__purged_at=None)
    is_text = reference.isascii() and reference.isprintable()  # a column takes no zero byte
    payment = found.filter(reference=reference).first() if is_text else None
    if payment is None:
        raise Refused(Code.PAYMENT_UNKNOWN)
    closed_at = payment.booking.closed_at
    if closed_at is not None and closed_at + policy.LINK_KEPT_AFTER_CLOSE <= now:
        raise Refused(Code.LINK_EXPIRED)
    return payment.booking, payment


def _ask(payment: Payment, *, now: datetime) -> Stage | None:
    """Have what the gateway says recorded, if there is anything to ask. What to say where the rows may be behind."""
    if payment.state == PaymentState.CAPTURED or not payment.page_state:
        return None
    if not _is_our_turn(payment, now=now):
        return Stage.CHECKING
    try:
        complete_payment(payment.reference, now=now)
    except Refused:
        return None  # the rows say why; of a closed booking nothing was asked
    except (Transient, Permanent) as error:
        log.warning("the gateway did not answer: %s", error)
        return Stage.UNCONFIRMED
    return None


def _is_our_turn(payment: Payment, *, now: datetime) -> bool:
    """One conditional UPDATE, so that many who look at once ask once."""
    was_asked = Q(looked_at__gt=now - ASKED_EVERY, looked_at__lte=now)  # a later one: the clock was set back
    return Payment.objects.filter(~was_asked | Q(looked_at=None), pk=payment.pk).update(looked_at=now) == 1


def _judge(booking: Booking, named: Payment | None, *, now: datetime) -> Standing:
    if booking.state in TAKES_PLACE:
        if not is_paid_up(booking):
            raise Refused(Code.NOTHING_TO_PAY)
        return Standing(Stage.PAID, booking, paid_payments(booking)[-1])
    if booking.state in AWAITS_PAYMENT and booking.choose_by is not None:
        raise Refused(Code.CHOICE_OPEN, choose_by=booking.choose_by)
    if booking.state == State.PAYMENT_PENDING:
        return _of_attempt(booking, Payment.objects.open().get(booking=booking), now=now)
    if booking.state == State.APPROVED:
        return _of_held(booking, now=now)
    if named is not None and named.is_unexpected:
        raise Refused(Code.PAYMENT_RETURNED)
    raise Refused(Code.STATE_REFUSES, state=State(booking.state))


def _of_attempt(booking: Booking, payment: Payment, *, now: datetime) -> Standing:
    """While an attempt is open."""
    if payment.tried is LastTry.PENDING:
        return Standing(Stage.UNCONFIRMED, booking, payment, answer_by(booking, now=now))
    if min(payment.page_expires_at or deadline(booking), deadline(booking)) <= now:
        return Standing(Stage.ENDING, booking, payment)
    if payment.tried is LastTry.DECLINED:
        return Standing(Stage.DECLINED, booking, payment)
    return Standing(Stage.TO_PAY if _is_made(payment) else Stage.BEING_MADE, booking, payment)


def _of_held(booking: Booking, *, now: datetime) -> Standing:
    """Before an attempt, or after one that brought nothing."""
    if now >= deadline(booking):
        raise Refused(Code.PAY_BY_PASSED)
    if not settings.PAYMENT_GATEWAY:
        raise Refused(Code.PAYMENTS_UNAVAILABLE)
    last = Payment.objects.filter(booking=booking, method=PaymentMethod.ONLINE).first()
    is_declined = last is not None and (last.state == PaymentState.FAILED or last.tried is LastTry.DECLINED)
    return Standing(Stage.DECLINED if is_declined else Stage.TO_PAY, booking, last)


def _is_made(payment: Payment) -> bool:
    return payment.page_state == PageState.OPEN and bool(payment.pay_url)
