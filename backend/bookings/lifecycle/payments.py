"""What money does: an attempt begins, is captured, fails or is left idle; money that nobody expects goes back."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from django.conf import settings

from backend.bookings import actors, links, policy
from backend.bookings.guarantees import deadline, held_session, payment_terms, psychologist_of
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import Captured, Details, PaymentStarted, UnexpectedlyCaptured
from backend.bookings.lifecycle import quarantine
from backend.bookings.lifecycle.callers import require_address
from backend.bookings.lifecycle.notify import notify_confirmed, notify_staff, notify_visitor
from backend.bookings.lifecycle.quarantine import Unbound
from backend.bookings.lifecycle.refunds import (
    GatewayWork,
    RefundReason,
    enqueue_gateway_work,
    new_reference,
    queue_refund,
    record_refund_report,
)
from backend.bookings.lifecycle.transaction import (
    TIMER,
    VISITOR,
    intent,
    lock_booking,
    lock_client,
    record_event,
    run_transition,
)
from backend.bookings.machine import ACTIVE, AWAITS_PAYMENT, TAKES_PLACE, Reason, State
from backend.bookings.models import Booking, Origin
from backend.bookings.notices import Notice
from backend.bookings.payment_status import paid_payment
from backend.core import correlation
from backend.core.errors import Code, Permanent, Refused
from backend.payments.adapters import gateway_named
from backend.payments.gateway import Event, EventKind, Gateway, Order, OrderReport, OrderState
from backend.payments.models import InboxEvent, Payment, PaymentState
from backend.scheduling import claims


@intent
def start_payment(acknowledgement_id: str, *, now: datetime) -> Payment:
    """APPROVED → PAYMENT_PENDING; asked again while the attempt is open: the same payment.

    Refuses: booking_unknown, already_paid, nothing_to_pay, pay_by_passed, state_refuses, payments_unavailable,
    no_address.
    """
    booking_id = Booking.objects.filter(acknowledgement_id=acknowledgement_id).values_list("pk", flat=True).first()
    if booking_id is None:
        raise Refused(Code.BOOKING_UNKNOWN)
    booking = lock_booking(booking_id)
    if booking.state == State.DRAFT or booking.verified_at is None:
        raise Refused(Code.BOOKING_UNKNOWN)
    require_address(booking)
    if booking.state == State.PAYMENT_PENDING:
        return Payment.objects.open().get(booking=booking)
    if booking.state in TAKES_PLACE:
        raise Refused(Code.NOTHING_TO_PAY if paid_payment(booking) is None else Code.ALREADY_PAID)
    if booking.state != State.APPROVED:
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    return _begin_attempt(booking, now=now)


def _begin_attempt(booking: Booking, *, now: datetime) -> Payment:
    terms = payment_terms(booking)
    if now >= deadline(booking):
        raise Refused(Code.PAY_BY_PASSED)
    if not settings.PAYMENT_GATEWAY:
        raise Refused(Code.PAYMENTS_UNAVAILABLE)
    payment = Payment.objects.create(
        booking=booking,
        reference=new_reference("PAY"),
        gateway=settings.PAYMENT_GATEWAY,
        amount_paise=terms.amount_paise,
        currency=policy.CURRENCY,
        started_at=now,
    )
    due_at = policy.attempt_deadline(now, terms.pay_by, held_session(booking).start)
    run_transition(
        booking,
        lambda: booking.start_payment(due_at=due_at),
        intent=Intent.START_PAYMENT,
        actor=VISITOR,
        now=now,
        details=PaymentStarted(payment.pk),
    )
    enqueue_gateway_work(
        GatewayWork.ENSURE_ORDER, payment, key=f"payment:{payment.pk}:{GatewayWork.ENSURE_ORDER}", now=now
    )
    return payment


class ReportOutcome(StrEnum):
    """What became of a report about money; the inbox keeps the word."""

    CONFIRMED = "confirmed"
    REINSTATED = "reinstated"
    RETURNED = "returned"
    ENDED = "ended"
    REFUNDED = "refunded"
    UNCHANGED = "unchanged"
    QUARANTINED = quarantine.QUARANTINED


def complete_payment(reference: str, *, now: datetime) -> Booking:
    """Ask the gateway about a payment, outside any transaction, and record what it says. Returns the paid booking.

    Refuses: payment_unknown, payment_not_confirmed, payment_declined, payment_returned, payments_unavailable. Raises
    Transient, Permanent.
    """
    payment = Payment.objects.filter(reference=reference).first()
    if payment is None:
        raise Refused(Code.PAYMENT_UNKNOWN)
    if payment.state != PaymentState.CAPTURED:
        report = _completed(payment, gateway_named(payment.gateway))
        record_report(report, actor=actors.gateway(payment.gateway), now=now)
        payment = Payment.objects.get(pk=payment.pk)
    return _paid_booking(payment)


def _completed(payment: Payment, gateway: Gateway) -> OrderReport:
    """One call as a rule; three when the visitor was faster than the worker that creates the order."""
    try:
        return gateway.complete_order(payment.reference)
    except Permanent:
        gateway.ensure_order(Order(payment.reference, payment.amount_paise, payment.currency))
        return gateway.complete_order(payment.reference)


def _paid_booking(payment: Payment) -> Booking:
    booking = payment.booking
    if payment.state == PaymentState.CAPTURED:
        if not payment.counts or booking.state not in TAKES_PLACE:
            raise Refused(Code.PAYMENT_RETURNED)
        return booking
    if payment.state == PaymentState.FAILED:
        raise Refused(Code.PAYMENT_DECLINED)
    raise Refused(Code.PAYMENT_NOT_CONFIRMED, answer_by=booking.due_at)


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
        _quarantine_answer(report, unbound, now=now)
        return ReportOutcome.QUARANTINED


def _quarantine_answer(report: OrderReport, why: Unbound, *, now: datetime) -> None:
    gateway = Payment.objects.values_list("gateway", flat=True).get(reference=report.reference)
    is_captured = report.state == OrderState.CAPTURED
    kind = EventKind.ORDER_CAPTURED if is_captured else EventKind.OTHER
    quarantine.keep(gateway, kind, report.reference, str(why), now=now)


@intent
def receive_event(gateway: str, event: Event, *, now: datetime) -> ReportOutcome:
    """A webhook, any number of times in any order: the inbox row and its effect are one transaction.

    One that is about no payment or refund of ours as it stands is kept in quarantine. Refuses: payment_unknown; nothing
    is written then, so that the gateway delivers again.
    """
    if InboxEvent.objects.filter(gateway=gateway, event_id=event.event_id).exists():
        return ReportOutcome.UNCHANGED
    reference = event.report.reference if event.report else ""
    try:
        outcome = _effect(gateway, event, now=now)
    except Unbound as why:
        quarantine.keep(gateway, event.kind, reference, str(why), now=now, event_id=event.event_id)
        return ReportOutcome.QUARANTINED
    row = InboxEvent(
        gateway=gateway,
        event_id=event.event_id,
        kind=event.kind,
        payment_reference=reference,
        result=outcome,
        correlation_id=correlation.current(),
        received_at=now,
    )
    # of two deliveries at once the second waited for the payment's lock, found nothing to do, and keeps no second row
    InboxEvent.objects.bulk_create([row], ignore_conflicts=True)
    return outcome


def _effect(gateway: str, event: Event, *, now: datetime) -> ReportOutcome:
    """What the event does. Raises Unbound."""
    if event.kind is EventKind.UNREADABLE:
        raise Unbound(quarantine.UNREADABLE)
    if event.report is not None and event.kind in (EventKind.ORDER_CAPTURED, EventKind.ORDER_DECLINED):
        return _record(event.report, actor=actors.gateway(gateway), now=now)
    if event.refund is not None and record_refund_report(event.refund, now=now):
        return ReportOutcome.REFUNDED
    return ReportOutcome.UNCHANGED


def _record(report: OrderReport, *, actor: str, now: datetime) -> ReportOutcome:
    booking, payment = _lock_for(report.reference)
    quarantine.require_same_order(payment, report)
    if report.state == OrderState.CAPTURED and payment.state != PaymentState.CAPTURED:
        return _capture(booking, payment, report, actor=actor, now=now)
    if report.state == OrderState.DECLINED and payment.state == PaymentState.OPEN:
        _close_attempt(payment, PaymentState.FAILED, now=now)
        end_attempt(booking, reason=Reason.ATTEMPT_FAILED, intent=Intent.FAIL_ATTEMPT, actor=actor, now=now)
        return ReportOutcome.ENDED
    return ReportOutcome.UNCHANGED


def _lock_for(reference: str) -> tuple[Booking, Payment]:
    """Everything a capture may touch, locked in order: a late one claims a slot, beside the client's other bookings."""
    found = Payment.objects.filter(reference=reference).select_related("booking").first()
    if found is None:
        raise Refused(Code.PAYMENT_UNKNOWN)
    if found.booking.client_id is not None:
        lock_client(found.booking.client_id)
    if found.booking.psychologist_id is not None:
        claims.lock_psychologists([found.booking.psychologist_id])
    booking = lock_booking(found.booking_id)
    return booking, Payment.objects.select_for_update().get(pk=found.pk)


def _capture(booking: Booking, payment: Payment, report: OrderReport, *, actor: str, now: datetime) -> ReportOutcome:
    is_exact = (report.amount_paise, report.currency) == (payment.amount_paise, payment.currency)
    is_first = paid_payment(booking) is None
    payment.state = PaymentState.CAPTURED
    payment.captured_paise, payment.captured_currency = report.amount_paise, report.currency
    payment.gateway_order_id, payment.capture_id = report.gateway_order_id, report.capture_id
    payment.captured_at = payment.closed_at = now
    payment.save()
    if is_exact and is_first:
        if booking.state in AWAITS_PAYMENT:
            details = Captured(payment.pk, payment.captured_paise)
            confirm(booking, intent=Intent.RECORD_CAPTURE, details=details, actor=actor, now=now)
            return ReportOutcome.CONFIRMED
        if _may_be_reinstated(booking, now=now):
            _reinstate(booking, payment, actor=actor, now=now)
            return ReportOutcome.REINSTATED
    _return_unexpected(booking, payment, now=now)
    return ReportOutcome.RETURNED


def confirm(booking: Booking, *, intent: Intent, details: Details, actor: str, now: datetime) -> None:
    """APPROVED or PAYMENT_PENDING → CONFIRMED. Another attempt may be open beside the one that paid: if it is captured
    too, that is unexpected money."""
    Payment.objects.filter(booking=booking).mark_idle(now=now)
    booking.next_ask_at = None
    due_at = policy.completion(held_session(booking).end)
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


@intent
def note_order(payment_id: int, report: OrderReport, *, now: datetime) -> None:
    """Keep the gateway's own id of an order, unless another payment has it."""
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    try:
        quarantine.require_same_order(payment, report)
    except Unbound as unbound:
        _quarantine_answer(report, unbound, now=now)
        return
    if not payment.gateway_order_id:
        payment.gateway_order_id = report.gateway_order_id
        payment.save(update_fields=["gateway_order_id"])


@intent
def ask_after_attempt(booking_id: int, *, now: datetime) -> None:
    """An open attempt passed its deadline: owe the question to the gateway, again and again, then close it unasked.

    No transition by itself, save PAYMENT_PENDING → APPROVED or PAYMENT_FAILED once GATEWAY_ASK_FOR has passed.
    """
    booking = lock_booking(booking_id)
    if booking.state != State.PAYMENT_PENDING or booking.due_at is None or booking.due_at > now:
        return
    if now >= booking.due_at + policy.GATEWAY_ASK_FOR:
        _end_idle(booking, now=now)
        return
    if booking.next_ask_at is not None and now < booking.next_ask_at <= now + policy.GATEWAY_ASK_EVERY:
        return
    booking.next_ask_at = now + policy.GATEWAY_ASK_EVERY
    booking.save(update_fields=["next_ask_at"])
    payment = Payment.objects.open().select_for_update().get(booking=booking)
    payment.asked += 1
    payment.save(update_fields=["asked"])
    enqueue_gateway_work(
        GatewayWork.ASK_GATEWAY, payment, key=f"payment:{payment.pk}:{GatewayWork.ASK_GATEWAY}:{payment.asked}", now=now
    )


@intent
def end_idle_attempt(payment_id: int, *, now: datetime) -> None:
    """PAYMENT_PENDING → APPROVED, or PAYMENT_FAILED past `pay_by`: the gateway was asked and nothing had come."""
    booking = lock_booking(Payment.objects.values_list("booking_id", flat=True).get(pk=payment_id))
    is_open = Payment.objects.open().filter(pk=payment_id).exists()
    if booking.state == State.PAYMENT_PENDING and is_open and booking.due_at is not None and booking.due_at <= now:
        _end_idle(booking, now=now)


def _end_idle(booking: Booking, *, now: datetime) -> None:
    payment = Payment.objects.open().select_for_update().get(booking=booking)
    _close_attempt(payment, PaymentState.IDLE, now=now)
    end_attempt(booking, reason=Reason.ATTEMPT_IDLE, intent=Intent.END_IDLE_ATTEMPT, actor=TIMER, now=now)


def _close_attempt(payment: Payment, state: PaymentState, *, now: datetime) -> None:
    payment.state, payment.closed_at = state, now
    payment.save(update_fields=["state", "closed_at"])


def end_attempt(booking: Booking, *, reason: Reason, intent: Intent, actor: str, now: datetime) -> None:
    """PAYMENT_PENDING → APPROVED while `pay_by` and its grace are ahead, else PAYMENT_FAILED."""
    deadline = policy.payment_deadline(payment_terms(booking).pay_by, held_session(booking).start)
    booking.next_ask_at = None
    if now < deadline:
        run_transition(
            booking,
            lambda: booking.end_attempt(due_at=deadline, reason=reason),
            intent=intent,
            actor=actor,
            now=now,
        )
        notify_visitor(booking, Notice.PAYMENT_ATTEMPT_FAILED, now=now)
        return
    run_transition(
        booking,
        lambda: booking.fail_payment(reason=Reason.PAYMENT_TIMED_OUT, now=now),
        intent=intent,
        actor=actor,
        now=now,
    )
    notify_visitor(booking, Notice.PAYMENT_TIMED_OUT, now=now)
