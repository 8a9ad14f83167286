"""What a gateway says of money: the first exact capture confirms, money that nobody expects goes back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from django.db.models import QuerySet

from backend.bookings import actors, links, policy
from backend.bookings.guarantees import held_session, psychologist_of
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import Captured, Details, UnexpectedlyCaptured
from backend.bookings.lifecycle import quarantine, receipts
from backend.bookings.lifecycle.attempts import (
    close_attempt,
    close_idle,
    end_attempt,
    keep_facts,
    take_facts,
    takes_money,
)
from backend.bookings.lifecycle.notify import notify_confirmed, notify_staff, notify_visitor
from backend.bookings.lifecycle.quarantine import Unbound
from backend.bookings.lifecycle.refunds import (
    RefundReason,
    new_reference,
    notify_refunds,
    queue_refund,
)
from backend.bookings.lifecycle.transaction import (
    TIMER,
    intent,
    locking_booking,
    locking_client,
    record_event,
    run_transition,
)
from backend.bookings.machine import ACTIVE, AWAITS_PAYMENT, TAKES_PLACE, Reason, State
from backend.bookings.models import Booking, Origin
from backend.bookings.notices import Notice
from backend.bookings.payment_status import answer_by, refundable_paise, rest_paise
from backend.core import batched_writes, compiled_writes, row_locks
from backend.core.compiled_queries import Given, compiled
from backend.core.errors import Code, Permanent, Refused
from backend.payments.adapters import gateway_named
from backend.payments.gateway import Gateway, LastTry, Order, OrderReport, OrderState
from backend.payments.models import Payment, PaymentState
from backend.scheduling import claims


class ReportOutcome(StrEnum):
    """What became of a report about money; the inbox keeps the word."""

    CONFIRMED = "confirmed"
    REINSTATED = "reinstated"
    RETURNED = "returned"
    LOOKED_INTO = "looked_into"  # the payments worker asks the gateway
    KEPT = "kept"  # its rows are held by somebody: the sweep applies it
    ENDED = "ended"
    REFUNDED = "refunded"
    UNCHANGED = "unchanged"
    QUARANTINED = quarantine.QUARANTINED


def complete_payment(reference: str, *, now: datetime) -> Booking:
    """Ask the gateway about a payment, outside any transaction, and record what it says. Returns the paid booking.

    Refuses: payment_unknown, payment_not_confirmed, pay_by_link, payment_declined, payment_returned, state_refuses,
    payments_unavailable. Raises Transient, Permanent.
    """
    payment: Payment | None = _with_booking.first(reference=reference)
    if payment is None:
        raise Refused(Code.PAYMENT_UNKNOWN)
    if payment.state != PaymentState.CAPTURED:
        if not takes_money(payment):  # a tab that was left open: nothing is asked, so that nothing is captured
            raise Refused(Code.STATE_REFUSES, state=State(payment.booking.state))
        report = _completed(payment, gateway_named(payment.gateway))
        if report is not None:
            record_report(report, actor=actors.gateway(payment.gateway), now=now)
        payment = cast(Payment, _with_booking.first(reference=reference))  # no payment is ever deleted
    return _paid_booking(payment, now=now)


@compiled
def _with_booking() -> QuerySet[Payment]:
    return Payment.objects.filter(reference=Given("reference")).select_related("booking").order_by()


def _completed(payment: Payment, gateway: Gateway) -> OrderReport | None:
    """One call as a rule; three when the visitor was faster than the worker that creates the order.

    None: its page is not made yet, which is the worker's alone.
    """
    try:
        return gateway.complete_order(payment.reference, payment.gateway_order_id)
    except Permanent:
        if gateway.has_pages:
            return None
        gateway.ensure_order(Order(payment.reference, payment.amount_paise, payment.currency))
        return gateway.complete_order(payment.reference, payment.gateway_order_id)


def _paid_booking(payment: Payment, *, now: datetime) -> Booking:
    booking = payment.booking
    if payment.state == PaymentState.CAPTURED:
        if not payment.counts:
            raise Refused(Code.PAYMENT_RETURNED)
        if booking.state not in TAKES_PLACE:  # it was paid, and closed since: what goes back is said elsewhere
            raise Refused(Code.STATE_REFUSES, state=State(booking.state))
        return booking
    if payment.state == PaymentState.FAILED or payment.tried is LastTry.DECLINED:
        raise Refused(Code.PAYMENT_DECLINED)
    if payment.page_state and payment.tried is not LastTry.PENDING:
        raise Refused(Code.PAY_BY_LINK)
    raise Refused(Code.PAYMENT_NOT_CONFIRMED, answer_by=answer_by(booking, now=now))


@intent
def record_report(report: OrderReport, *, actor: str, now: datetime) -> ReportOutcome:
    """What a gateway says of an order, from wherever we heard it. Refuses: payment_unknown.

    APPROVED or PAYMENT_PENDING → CONFIRMED on the first exact capture of any attempt; timed out → CONFIRMED when its
    slot is free and ahead; any other capture is recorded and given back. PAYMENT_PENDING → APPROVED or PAYMENT_FAILED
    when declined. An order or a capture of another payment moves nothing.
    """
    try:
        return _record(report, actor=actor, now=now)
    except Unbound as unbound:
        quarantine.keep_answer(report, unbound, now=now)
        return ReportOutcome.QUARANTINED


def apply_report(report: OrderReport, *, actor: str, now: datetime) -> ReportOutcome:
    """The same, in the transaction of a webhook. Raises Unbound; refuses: payment_unknown."""
    return _record(report, actor=actor, now=now)


@intent
def record_second_capture(report: OrderReport, *, now: datetime) -> ReportOutcome:
    """An order that was captured once more: the second sum is a payment of its own, and goes back in full.

    For who asked the gateway what it captured; a webhook alone may not say so. Refuses: payment_unknown.
    """
    booking, payment, _ = _lock_for(report.reference)
    if payment.state != PaymentState.CAPTURED or payment.capture_id == report.capture_id:
        return ReportOutcome.UNCHANGED
    if Payment.objects.filter(gateway=payment.gateway, capture_id=report.capture_id).exists():
        return ReportOutcome.UNCHANGED
    second = Payment.objects.create(
        booking=booking,
        reference=new_reference("PAY"),
        gateway=payment.gateway,
        amount_paise=report.amount_paise,
        currency=report.currency,
        started_at=now,
    )
    _note_capture(second, report, now=now)
    _return_unexpected(booking, second, now=now)
    return ReportOutcome.RETURNED


def _record(report: OrderReport, *, actor: str, now: datetime) -> ReportOutcome:
    booking, payment, others = _lock_for(report.reference)
    quarantine.require_same_order(payment, report)
    if report.state == OrderState.CAPTURED and payment.state != PaymentState.CAPTURED:
        return _capture(booking, payment, others, report, actor=actor, now=now)
    keep_facts(payment, report)
    if report.state == OrderState.DECLINED and payment.state == PaymentState.OPEN:
        close_attempt(payment, PaymentState.FAILED, now=now)
        end_attempt(booking, reason=Reason.ATTEMPT_FAILED, intent=Intent.FAIL_ATTEMPT, actor=actor, now=now)
        return ReportOutcome.ENDED
    return ReportOutcome.UNCHANGED


def _lock_for(reference: str) -> tuple[Booking, Payment, list[Payment]]:
    """Everything a capture may touch, locked in order: a late one claims a slot, beside the client's other bookings.

    The booking, the payment of this reference, and the booking's others by id.
    """
    found = _whose.first(reference=reference)
    if found is None:
        raise Refused(Code.PAYMENT_UNKNOWN)
    payment_id, booking_id, client_id, psychologist_id = found
    clients = [] if client_id is None else [locking_client(client_id)]
    psychologists = [] if psychologist_id is None else [claims.locking_psychologist(psychologist_id)]
    *others, booking, payments = row_locks.take(
        *clients, *psychologists, locking_booking(booking_id), _payments_of.of(booking=booking_id)
    )
    psychologist = others[-1] if psychologists else None
    if psychologist is not None and psychologist.pk == booking.psychologist_id:
        booking.psychologist = psychologist  # else it was moved a moment ago, and its new one is read
    for one in payments:
        one.booking = booking
    payment = next(one for one in payments if one.pk == payment_id)
    return booking, payment, [one for one in payments if one is not payment]


_payments_of = row_locks.Lock(lambda: Payment.objects.filter(booking=Given("booking")).order_by("pk"))


@compiled
def _whose() -> QuerySet[Payment, Any]:
    payment = Payment.objects.filter(reference=Given("reference")).order_by()
    return payment.values_list("pk", "booking_id", "booking__client_id", "booking__psychologist_id")


def _capture(
    booking: Booking, payment: Payment, others: list[Payment], report: OrderReport, *, actor: str, now: datetime
) -> ReportOutcome:
    is_exact = (report.amount_paise, report.currency) == (payment.amount_paise, payment.currency)
    paid = [one for one in others if one.counts]
    since = [one for one in paid if one.pk > payment.pk]
    completes = is_exact and _completes(booking, payment, paid)
    payment.gateway_order_id = report.gateway_order_id  # of one payment alone: a second capture goes without
    _note_capture(payment, report, beside=take_facts(payment, report), now=now)
    outcome = ReportOutcome.RETURNED
    if completes:
        outcome = _settle_with(booking, payment, others, actor=actor, now=now)
    if outcome is ReportOutcome.RETURNED:
        _return_unexpected(booking, payment, now=now)
        return outcome
    for part in since:
        _return_part(booking, part, now=now)
    receipts.issue(booking, payment, left_paise=0, now=now)
    return outcome


def _completes(booking: Booking, payment: Payment, paid: list[Payment]) -> bool:
    """Whether the sum is complete with this attempt's, which asked for what was left to pay when it began.

    Parts that came since are beyond the price then; those before must be with us still.
    """
    before = sum(refundable_paise(one) for one in paid if one.pk < payment.pk)
    return rest_paise(booking, paid) > 0 and before + payment.amount_paise == booking.amount_paise


def _settle_with(
    booking: Booking, payment: Payment, others: list[Payment], *, actor: str, now: datetime
) -> ReportOutcome:
    """The session that this capture pays for: confirmed, or reinstated; RETURNED where there is none any more."""
    if booking.state in AWAITS_PAYMENT:
        still_open = [one for one in others if one.state == PaymentState.OPEN]
        details = Captured(payment.pk, payment.captured_paise)
        confirm(booking, still_open, intent=Intent.RECORD_CAPTURE, details=details, actor=actor, now=now)
        return ReportOutcome.CONFIRMED
    if _may_be_reinstated(booking, now=now):
        _reinstate(booking, payment, actor=actor, now=now)
        return ReportOutcome.REINSTATED
    return ReportOutcome.RETURNED


CAPTURE = (
    "gateway_order_id",
    "state",
    "capture_id",
    "captured_paise",
    "captured_currency",
    "paid_by",
    "fee_paise",
    "tax_paise",
    "captured_at",
    "closed_at",
)


def _note_capture(payment: Payment, report: OrderReport, *, beside: Iterable[str] = (), now: datetime) -> None:
    """`beside` are columns that changed and are to be saved with it."""
    payment.state, payment.capture_id = PaymentState.CAPTURED, report.capture_id
    payment.captured_paise, payment.captured_currency = report.amount_paise, report.currency
    payment.paid_by, payment.fee_paise = report.capture.method, report.capture.fee_paise
    payment.tax_paise = report.capture.tax_paise
    payment.captured_at = payment.closed_at = now
    compiled_writes.update(payment, {*CAPTURE, *beside})


def confirm(
    booking: Booking, still_open: Iterable[Payment], *, intent: Intent, details: Details, actor: str, now: datetime
) -> None:
    """APPROVED or PAYMENT_PENDING → CONFIRMED. Another attempt may be open beside the one that paid, and its lock is
    held: if it is captured too, that is unexpected money."""
    close_idle(still_open, now=now)
    booking.next_ask_at = None
    due_at = policy.completion(held_session(booking).end)
    with batched_writes.batch():
        run_transition(
            booking,
            lambda: booking.confirm(due_at=due_at),
            intent=intent,
            actor=actor,
            now=now,
            saving=["corporate", "sponsored_month"],
            details=details,
        )
        notify_confirmed(booking, now=now)


def _may_be_reinstated(booking: Booking, *, now: datetime) -> bool:
    """Timed out, its slot still free and ahead, and no other active booking of this visitor."""
    if booking.reason != Reason.PAYMENT_TIMED_OUT or booking.psychologist_id is None or booking.client_id is None:
        return False
    slot = _slot_of(booking)
    others = Booking.objects.filter(client_id=booking.client_id, origin=Origin.VISITOR, state__in=ACTIVE)
    return slot.start > now and claims.is_free(slot, for_booking=booking) and not others.exists()


def _reinstate(booking: Booking, payment: Payment, *, actor: str, now: datetime) -> None:
    slot = _slot_of(booking)
    claims.claim_slot(booking, slot, now=now)
    run_transition(
        booking,
        lambda: booking.reinstate(due_at=policy.completion(slot.end)),
        intent=Intent.RECORD_LATE_CAPTURE,
        actor=actor,
        now=now,
        details=Captured(payment.pk, payment.captured_paise),
    )
    links.keep_open(booking)
    notify_confirmed(booking, now=now, notice=Notice.LATE_PAYMENT_BOOKED)


def _slot_of(booking: Booking) -> claims.Slot:
    session = held_session(booking)
    return claims.slot_with(psychologist_of(booking), session.start, session.end)


def _return_part(booking: Booking, part: Payment, *, now: datetime) -> None:
    """What was paid of the sum before all of it came otherwise is beyond the price."""
    part.is_unexpected = True
    part.save(update_fields=["is_unexpected"])
    paise = refundable_paise(part)
    if not paise:  # it goes back already
        return
    refund = queue_refund(part, paise, reason=RefundReason.UNEXPECTED, actor="system", now=now)
    details = UnexpectedlyCaptured(part.pk, paise, refund=refund.pk)
    record_event(booking, intent=Intent.RECORD_UNEXPECTED_CAPTURE, actor=TIMER, now=now, details=details)
    notify_refunds(booking, [refund], now=now)


def _return_unexpected(booking: Booking, payment: Payment, *, now: datetime) -> None:
    """Money that is not the first, exact, expected capture goes back in full, by itself."""
    payment.is_unexpected = True
    payment.save(update_fields=["is_unexpected"])
    paise, refund = payment.captured_paise, None
    if paise:
        refund = queue_refund(payment, paise, reason=RefundReason.UNEXPECTED, actor="system", now=now)
    record_event(
        booking,
        intent=Intent.RECORD_UNEXPECTED_CAPTURE,
        actor=actors.gateway(payment.gateway),
        now=now,
        details=UnexpectedlyCaptured(payment.pk, paise, refund=refund.pk if refund is not None else None),
    )
    notify_visitor(booking, Notice.PAYMENT_RETURNED, now=now)
    notify_staff(booking, Notice.STAFF_UNEXPECTED_MONEY, now=now)
    is_open = Payment.objects.open().filter(booking=booking).exists()
    if booking.state == State.PAYMENT_PENDING and not is_open:  # it was this attempt's, and it paid the wrong sum
        actor = actors.gateway(payment.gateway)
        end_attempt(booking, reason=Reason.ATTEMPT_FAILED, intent=Intent.FAIL_ATTEMPT, actor=actor, now=now)
