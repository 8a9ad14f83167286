"""How far the money of a booking is: what was paid, at once or in parts, what is left to pay, and what went back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from operator import attrgetter

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.db.models.lookups import GreaterThan, LessThanOrEqual

from backend.bookings import policy
from backend.bookings.machine import AWAITS_PAYMENT, TAKES_PLACE, State
from backend.bookings.models import DUE_AT_PRACTICE, Booking, Outcome
from backend.core.compiled_queries import Given, compiled
from backend.payments.models import NOT_PROMISED, Payment, PaymentMethod, Refund, RefundState

CALLED_OFF = (State.CANCELLED, State.REJECTED, State.PAYMENT_FAILED)  # no session, so nothing is to be paid
_NOT_HELD = (Outcome.NO_SHOW, Outcome.PRACTICE_ABSENT)


class PaymentStatus(StrEnum):
    """How far the money of a booking is; derived from the rows, stored nowhere."""

    NOT_NEEDED = "not_needed"
    DUE_AT_PRACTICE = "due_at_practice"
    SPONSORED = "sponsored"
    OPEN = "open"
    PART_PAID = "part_paid"  # at the desk; the rest is still to be paid, unless the booking was called off
    PAID = "paid"
    # a refund in the making is neither money that we keep nor money that is back
    REFUND_UNDER_WAY = "refund_under_way"  # at the gateway
    REFUND_TO_HAND_OUT = "refund_to_hand_out"  # at the desk
    REFUND_REFUSED = "refund_refused"  # by the gateway; staff must find another way
    PART_REFUNDED = "part_refunded"  # made
    REFUNDED = "refunded"  # made


OWED_HERE = (PaymentStatus.DUE_AT_PRACTICE, PaymentStatus.PART_PAID)  # of a settled session
OPEN_REFUNDS = (PaymentStatus.REFUND_UNDER_WAY, PaymentStatus.REFUND_TO_HAND_OUT, PaymentStatus.REFUND_REFUSED)
MONEY_CAME = (
    PaymentStatus.PART_PAID,
    PaymentStatus.PAID,
    *OPEN_REFUNDS,
    PaymentStatus.PART_REFUNDED,
    PaymentStatus.REFUNDED,
)


def payment_status(booking: Booking) -> PaymentStatus:
    """Money that came in speaks first, then who else pays, then whether anything is to be paid at all.

    A session that is settled can be paid for at the practice alone: its payment was recorded by mistake.
    """
    payments = paid_payments(booking)
    if payments:
        status = _refund_status(payments)
        return PaymentStatus.PART_PAID if status is PaymentStatus.PAID and rest_paise(booking, payments) else status
    if booking.is_sponsored and booking.state != State.PENDING:  # before approval nobody knows if it is covered
        return PaymentStatus.SPONSORED
    if booking.amount_paise == 0 or booking.state in CALLED_OFF:
        return PaymentStatus.NOT_NEEDED
    if booking.amount_paise is not None and (booking.is_due_at_practice or booking.state in TAKES_PLACE):
        return PaymentStatus.DUE_AT_PRACTICE
    return PaymentStatus.OPEN


def _refund_status(payments: list[Payment]) -> PaymentStatus:
    """What waits speaks first, of it what somebody must hand out, then how the last ended, then how much is back."""
    refunds = [(refund, payment) for payment in payments for refund in payment.refunds.all()]
    kept = sorted((refund for refund, _ in refunds if refund.state != RefundState.WITHDRAWN), key=attrgetter("pk"))
    waits = [payment for refund, payment in refunds if refund.state in (RefundState.QUEUED, RefundState.UNFINISHED)]
    if waits:
        is_at_desk = any(payment.method == PaymentMethod.DESK for payment in waits)
        return PaymentStatus.REFUND_TO_HAND_OUT if is_at_desk else PaymentStatus.REFUND_UNDER_WAY
    if kept and kept[-1].state == RefundState.REFUSED:
        return PaymentStatus.REFUND_REFUSED
    made = sum(refund.amount_paise for refund in kept if refund.state == RefundState.DONE)
    if not made:
        return PaymentStatus.PAID
    return PaymentStatus.PART_REFUNDED if made < _sum(payments) else PaymentStatus.REFUNDED


def is_refund_open(booking: Booking) -> bool:
    """Whether money is on its way back, or staff must find another way; also of what came unexpectedly."""
    payments = Payment.objects.filter(booking=booking, refunds__isnull=False).distinct()
    return any(_refund_status([payment]) in OPEN_REFUNDS for payment in payments)


def refund_made_at(booking: Booking) -> datetime | None:
    """When money of this booking went back last."""
    made = Refund.objects.filter(payment__booking=booking, payment__is_unexpected=False, state=RefundState.DONE)
    return made.order_by("-settled_at").values_list("settled_at", flat=True).first()


def answer_by(booking: Booking, *, now: datetime) -> datetime | None:
    """By when we write about the payment that is open: at the attempt's end, and past it once nobody is asked more."""
    if booking.due_at is None or booking.due_at > now:
        return booking.due_at
    return booking.due_at + policy.GATEWAY_ASK_FOR


# -- what was paid, and what is left to pay ----------------------------------------------------------------------------


def paid_payments(booking: Booking) -> list[Payment]:
    """What pays for this booking, oldest first: one payment, or parts of the sum; none before any money came.

    Asks nothing where a page has loaded `payments__refunds`.
    """
    return sorted((payment for payment in _payments(booking) if payment.counts), key=attrgetter("pk"))


def _payments(booking: Booking) -> Iterable[Payment]:
    if "payments" in getattr(booking, "_prefetched_objects_cache", ()):
        return booking.payments.all()
    found = payments_of.rows(booking=booking.pk)
    for payment in found:
        payment.booking = booking
    return found


@compiled
def payments_of() -> QuerySet[Payment]:
    """By the id of their `booking`."""
    return Payment.objects.filter(booking=Given("booking"))


def load_payments(booking: Booking, payments: list[Payment] | None = None) -> None:
    """As `prefetch_related("payments__refunds")`, by queries that are written once; `payments` if they were read."""
    found = payments_of.rows(booking=booking.pk) if payments is None else payments
    refunds: list[Refund] = _refunds_of.rows(booking=booking.pk) if found else []
    for payment in found:
        payment.booking = booking
        mine = [refund for refund in refunds if refund.payment_id == payment.pk]
        vars(payment)["_prefetched_objects_cache"] = {"refunds": mine}
    vars(booking)["_prefetched_objects_cache"] = {"payments": found}


@compiled
def _refunds_of() -> QuerySet[Refund]:
    return Refund.objects.filter(payment__booking=Given("booking"))


def desk_payments(booking: Booking) -> list[Payment]:
    """Those of them that were recorded at the desk."""
    return [payment for payment in paid_payments(booking) if payment.method == PaymentMethod.DESK]


def paid_paise(booking: Booking) -> int:
    """What was paid for this booking, also what went back since."""
    return _sum(paid_payments(booking))


def outstanding_paise(booking: Booking) -> int:
    """What is left to pay of the price, whoever is to pay it and whether or not it is due."""
    return rest_paise(booking, paid_payments(booking))


def owed_paise(booking: Booking) -> int:
    """What the visitor still has to pay; nothing where a sponsor pays, or of a booking that was called off."""
    owes = (PaymentStatus.OPEN, *OWED_HERE)
    is_owed = booking.state not in CALLED_OFF and payment_status(booking) in owes
    return outstanding_paise(booking) if is_owed else 0


def is_paid_up(booking: Booking) -> bool:
    """Whether the whole sum was paid, at once or in parts."""
    payments = paid_payments(booking)
    return bool(payments) and not rest_paise(booking, payments)


def _sum(payments: Iterable[Payment]) -> int:
    return sum(payment.captured_paise for payment in payments)


def rest_paise(booking: Booking, payments: Iterable[Payment]) -> int:
    """`outstanding_paise`, for who has read its payments."""
    return max(0, (booking.amount_paise or 0) - _sum(payments))


# -- the same of many bookings -----------------------------------------------------------------------------------------


def outstanding() -> Greatest:
    """`outstanding_paise`, of a price that is settled."""
    counted = Payment.objects.counted().filter(booking=OuterRef("pk")).order_by().values("booking")
    paid = Subquery(counted.annotate(sum=Sum("captured_paise")).values("sum"), output_field=IntegerField())
    return Greatest(Coalesce(F("amount_paise"), 0) - Coalesce(paid, 0), 0, output_field=IntegerField())


def is_paid() -> Q:
    """`is_paid_up` as a condition."""
    came = Exists(Payment.objects.counted().filter(booking=OuterRef("pk")))
    return Q(came) & Q(LessThanOrEqual(outstanding(), 0))


def owes_at_practice() -> Q:
    """Money is due at the practice, all of it or the rest, as a condition."""
    at_practice = DUE_AT_PRACTICE | Q(state__in=TAKES_PLACE)
    due = at_practice & Q(amount_paise__gt=0, corporate=None) & ~Q(state__in=CALLED_OFF)
    return due & Q(GreaterThan(outstanding(), 0))


def takes_at_desk() -> Case:
    """What staff may record as paid, in paise: of what waits for money, or owes it here; 0 for nothing."""
    owes_here = Q(state__in=TAKES_PLACE, amount_paise__gt=0, corporate=None)
    return Case(
        When(Q(state__in=AWAITS_PAYMENT) | owes_here, then=outstanding()),
        default=Value(0),
        output_field=IntegerField(),
    )


def owed(rows: QuerySet[Booking], *, now: datetime) -> QuerySet[Booking]:
    """Those of them that were held and are due at the practice, however long ago; how much, as `owed_paise`."""
    due = rows.filter(owes_at_practice(), state__in=TAKES_PLACE, slot_start__lte=now, slot_end__lte=now)
    return due.exclude(outcome__in=_NOT_HELD).annotate(owed_paise=takes_at_desk())


# -- what may go back --------------------------------------------------------------------------------------------------


def refundable_paise(payment: Payment) -> int:
    """What was captured and has not been given back or promised yet."""
    promised = sum(refund.amount_paise for refund in payment.refunds.all() if refund.state not in NOT_PROMISED)
    return payment.captured_paise - promised


def left_paise(booking: Booking) -> int:
    """What the practice holds of the visitor's money for this booking, in paise."""
    return sum(refundable_paise(payment) for payment in paid_payments(booking))
