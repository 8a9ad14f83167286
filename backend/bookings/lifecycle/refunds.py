"""Money that goes back: queued in the transaction that owes it, made by the payments worker or at the desk."""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import StrEnum

from django.db import models

from backend.bookings import actors, policy
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import NotPaidInTime, RefundGranted, RefundMade, RefundRefused, RefundUnfinished
from backend.bookings.lifecycle import receipts
from backend.bookings.lifecycle.notify import notify_staff, notify_visitor
from backend.bookings.lifecycle.quarantine import Unbound, require_same_refund
from backend.bookings.lifecycle.renewal import renew_last
from backend.bookings.lifecycle.transaction import TIMER, intent, lock_booking, record_event
from backend.bookings.models import CROCKFORD, Booking
from backend.bookings.notices import Notice
from backend.bookings.payment_status import CALLED_OFF, left_paise, outstanding_paise, paid_payments, refundable_paise
from backend.core.errors import Code, Permanent, Refused
from backend.outbox import messages
from backend.outbox.models import Queue
from backend.payments.gateway import WHY_LONGEST, RefundOrderState, RefundReport
from backend.payments.models import Payment, PaymentMethod, Refund, RefundState


class GatewayWork(StrEnum):
    """What the payments worker is asked to do."""

    ENSURE_ORDER = "ensure_order"
    ASK_GATEWAY = "ask_gateway"  # past the attempt's deadline
    LOOK_AT_ORDER = "look_at_order"  # the gateway said that something happened
    CLOSE_ORDER = "close_order"  # the attempt is over, its page is not
    MAKE_REFUND = "make_refund"
    RECONCILE = "reconcile"  # compare our books with the gateway's
    MAKE_RECEIPT = receipts.MAKE_RECEIPT


class RefundReason(models.TextChoices):
    """Why money goes back. Then what staff read."""

    UNEXPECTED = "unexpected_capture", "unexpected payment"
    NOT_PAID_IN_TIME = "not_paid_in_time", "only a part was paid in time"
    BY_VISITOR = "cancelled_by_visitor", "cancelled by the visitor"
    BY_STAFF = "cancelled_by_staff", "cancelled by the practice"
    GRANTED = "granted_by_staff", "granted by the practice"


def queue_refund(
    payment: Payment,
    amount_paise: int,
    *,
    reason: RefundReason,
    actor: str,
    now: datetime,
    not_before: datetime | None = None,
) -> Refund:
    """Owe `amount_paise` back. The caller holds the booking's lock. Refuses: refund_exceeds_capture."""
    if not 0 < amount_paise <= refundable_paise(payment):
        raise Refused(Code.REFUND_EXCEEDS_CAPTURE)
    refund = Refund.objects.create(
        payment=payment,
        reference=new_reference("REF"),
        amount_paise=amount_paise,
        reason=reason,
        actor=actor,
        queued_at=now,
    )
    if payment.method == PaymentMethod.ONLINE:
        enqueue_gateway_work(
            GatewayWork.MAKE_REFUND,
            payment,
            key=f"refund:{refund.pk}:{GatewayWork.MAKE_REFUND}",
            now=now,
            not_before=not_before,
            subject=refund.pk,
        )
    return refund


@intent
def grant_refund(booking_id: int, amount_paise: int | None, *, actor: str, now: datetime) -> Refund:
    """No transition: staff give back some of what was paid, or all that is left of it (`None`).

    Refuses: booking_unknown, refund_exceeds_capture, part_paid (what is given back of it would be owed again).
    """
    booking = lock_booking(booking_id)
    if paid_payments(booking) and booking.state not in CALLED_OFF and outstanding_paise(booking):
        raise Refused(Code.PART_PAID)
    amount = left_paise(booking) if amount_paise is None else amount_paise
    if amount <= 0:
        raise Refused(Code.REFUND_EXCEEDS_CAPTURE)
    refunds = give_back(booking, amount, reason=RefundReason.GRANTED, actor=actor, now=now)
    first, *more = (refund.pk for refund in refunds)
    details = RefundGranted(first, amount, tuple(more))
    record_event(booking, intent=Intent.GRANT_REFUND, actor=actor, now=now, details=details)
    notify_refunds(booking, refunds, now=now)
    renew_promise(booking, now=now)
    return refunds[0]


def give_back(
    booking: Booking,
    amount_paise: int,
    *,
    reason: RefundReason,
    actor: str,
    now: datetime,
    not_before: datetime | None = None,
) -> list[Refund]:
    """Owe a sum of what was paid, before the ledger row that names the refunds: of the newest payment first.

    Refuses: refund_exceeds_capture.
    """
    refunds, rest = [], amount_paise
    for payment in reversed(paid_payments(booking)):
        sum_of_it = min(rest, refundable_paise(payment))
        if sum_of_it > 0:
            refund = queue_refund(payment, sum_of_it, reason=reason, actor=actor, now=now, not_before=not_before)
            refunds.append(refund)
            rest -= sum_of_it
    if rest:
        raise Refused(Code.REFUND_EXCEEDS_CAPTURE)
    return refunds


def give_back_parts(booking: Booking, *, now: datetime) -> tuple[list[Refund], NotPaidInTime]:
    """What was paid of a sum that is not complete in time goes back, and what the ledger row says of it."""
    reason = RefundReason.NOT_PAID_IN_TIME
    refunds = give_back(booking, left_paise(booking), reason=reason, actor=TIMER, now=now)
    ids = [refund.pk for refund in refunds]
    return refunds, NotPaidInTime(ids[0] if ids else None, tuple(ids[1:]))


def notify_refunds(booking: Booking, refunds: list[Refund], *, now: datetime) -> None:
    """Tell the visitor that money is on its way; at the desk somebody must hand it out."""
    if refunds:
        notify_visitor(booking, Notice.REFUND_QUEUED, now=now)
    if any(refund.payment.method == PaymentMethod.DESK for refund in refunds):
        notify_staff(booking, Notice.STAFF_REFUND_DUE, now=now)


@intent
def record_refund(refund_id: int, report: RefundReport, *, now: datetime) -> None:
    """What the gateway answered to a refund. A pending one stays queued for REFUND_ASKED_FOR, then it is staff's.

    Raises Permanent when it answered about another sum or another refund.
    """
    booking_id = Refund.objects.values_list("payment__booking_id", flat=True).get(pk=refund_id)
    booking = lock_booking(booking_id)
    try:
        _settle(booking, Refund.objects.select_for_update().get(pk=refund_id), report, now=now)
    except Unbound as error:
        raise Permanent(f"the gateway answered about another refund: {error}") from error


def record_refund_report(report: RefundReport, *, now: datetime) -> bool:
    """The same from a webhook, in its transaction. False: nothing new. Raises Unbound."""
    found = Refund.objects.filter(reference=report.reference).values_list("pk", "payment__booking_id").first()
    if found is None:
        raise Unbound(f"no refund of ours is called {report.reference!r}")
    booking = lock_booking(found[1])
    return _settle(booking, Refund.objects.select_for_update().get(pk=found[0]), report, now=now)


@intent
def record_refund_made(refund_id: int, *, actor: str, now: datetime) -> None:
    """No transition: staff handed out a refund at the desk, or settled outside what the gateway did not make.

    Repeated: nothing happens. Refuses: refund_at_gateway (it is on its way there), refund_exceeds_capture (its sum was
    promised again since), refund_unknown (it was withdrawn).
    """
    booking_id = Refund.objects.values_list("payment__booking_id", flat=True).get(pk=refund_id)
    booking = lock_booking(booking_id)
    refund = Refund.objects.select_for_update().get(pk=refund_id)
    if refund.state == RefundState.DONE:
        return
    if refund.state == RefundState.WITHDRAWN:
        raise Refused(Code.REFUND_UNKNOWN)
    if refund.state == RefundState.QUEUED and refund.payment.method == PaymentMethod.ONLINE:
        raise Refused(Code.REFUND_AT_GATEWAY)
    if refund.state == RefundState.REFUSED and refundable_paise(refund.payment) < refund.amount_paise:
        raise Refused(Code.REFUND_EXCEEDS_CAPTURE)
    _made(booking, refund, actor=actor, now=now)


def _settle(booking: Booking, refund: Refund, report: RefundReport, *, now: datetime) -> bool:
    require_same_refund(refund, report)
    if (refund.state, report.state) == (RefundState.DONE, RefundOrderState.REFUSED):
        raise Unbound("the gateway had made this refund, and now says that it failed")  # some banks send UPI back
    if refund.state not in (RefundState.QUEUED, RefundState.UNFINISHED):
        return False
    if report.state == RefundOrderState.PENDING:
        _leave_to_staff_if_due(booking, refund, now=now)
        return False
    refund.gateway_refund_id = report.gateway_refund_id
    if report.state == RefundOrderState.DONE:
        _made(booking, refund, actor=actors.GATEWAY, now=now)
        return True
    refund.state, refund.settled_at = RefundState.REFUSED, now
    refund.refused_why = "".join(filter(str.isprintable, report.why))[:WHY_LONGEST]
    refund.save(update_fields=["state", "gateway_refund_id", "settled_at", "refused_why"])
    record_event(booking, intent=Intent.REFUND_REFUSED, actor=actors.GATEWAY, now=now, details=RefundRefused(refund.pk))
    notify_staff(booking, Notice.STAFF_REFUND_DUE, now=now)
    notify_visitor(booking, Notice.REFUND_QUEUED, now=now)  # who waits for the bank is told of the other way
    renew_promise(booking, now=now)
    return True


def _leave_to_staff_if_due(booking: Booking, refund: Refund, *, now: datetime) -> None:
    """QUEUED → UNFINISHED, once its time is over. Its sum stays promised: the gateway may still send it."""
    if refund.state != RefundState.QUEUED or now < refund.queued_at + policy.REFUND_ASKED_FOR:
        return
    refund.state = RefundState.UNFINISHED
    refund.save(update_fields=["state"])
    details = RefundUnfinished(refund.pk)
    record_event(booking, intent=Intent.REFUND_UNFINISHED, actor=TIMER, now=now, details=details)
    notify_staff(booking, Notice.STAFF_REFUND_DUE, now=now)


def renew_promise(booking: Booking, *, now: datetime) -> None:
    """What is left to come back has changed: a link to cancel that is out promises it anew."""
    if booking.cancellation_requested_at is not None:
        renew_last(booking, [Notice.CANCELLATION_REQUESTED], now=now)


def _made(booking: Booking, refund: Refund, *, actor: str, now: datetime) -> None:
    was_refused = refund.state == RefundState.REFUSED
    refund.state, refund.settled_at = RefundState.DONE, now
    refund.save(update_fields=["state", "gateway_refund_id", "settled_at"])
    details = RefundMade(refund.pk, refund.amount_paise)
    record_event(booking, intent=Intent.REFUND_MADE, actor=actor, now=now, details=details)
    notify_visitor(booking, Notice.REFUND_MADE, now=now)
    if was_refused:  # its sum had been free again
        renew_promise(booking, now=now)
    receipts.take_back(refund.payment, refund.amount_paise, refund=refund, now=now)


def enqueue_gateway_work(
    kind: GatewayWork,
    payment: Payment,
    *,
    key: str,
    now: datetime,
    not_before: datetime | None = None,
    subject: int | None = None,
) -> None:
    """Owe the payments worker a piece of work about a payment, or about `subject`, a refund of it."""
    messages.emit(
        queue=Queue.PAYMENTS,
        kind=kind,
        dedupe_key=key,
        now=now,
        not_before=not_before,
        booking_id=payment.booking_id,
        subject_id=payment.pk if subject is None else subject,
    )


def new_reference(prefix: str) -> str:
    """Ours and the gateway's idempotency key: 100 random bits."""
    return f"{prefix}-" + "".join(secrets.choice(CROCKFORD) for _ in range(20))
