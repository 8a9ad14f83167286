"""An attempt to pay: it begins, is asked after when it stays open, and ends declined or left idle."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from backend.bookings import policy
from backend.bookings.guarantees import deadline, held_session, payment_terms
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import PaymentStarted
from backend.bookings.lifecycle import quarantine
from backend.bookings.lifecycle.callers import require_address
from backend.bookings.lifecycle.notify import notify_visitor
from backend.bookings.lifecycle.quarantine import Unbound
from backend.bookings.lifecycle.refunds import (
    GatewayWork,
    enqueue_gateway_work,
    new_reference,
)
from backend.bookings.lifecycle.transaction import (
    TIMER,
    VISITOR,
    intent,
    lock_booking,
    run_transition,
)
from backend.bookings.machine import AWAITS_PAYMENT, TAKES_PLACE, Reason, State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.bookings.payment_status import paid_payment
from backend.core.errors import Code, Refused
from backend.payments.gateway import OrderReport
from backend.payments.models import Payment, PaymentState


@intent
def start_payment(acknowledgement_id: str, *, now: datetime) -> Payment:
    """APPROVED → PAYMENT_PENDING; asked again while the attempt is open: the same payment.

    Refuses: booking_unknown, already_paid, nothing_to_pay, pay_by_passed, state_refuses, payments_unavailable,
    no_address, choice_open.
    """
    known = Booking.objects.filter(acknowledgement_id=acknowledgement_id, purged_at=None)
    booking_id = known.values_list("pk", flat=True).first()
    if booking_id is None:
        raise Refused(Code.BOOKING_UNKNOWN)
    booking = lock_booking(booking_id)
    if booking.state == State.DRAFT or booking.verified_at is None:
        raise Refused(Code.BOOKING_UNKNOWN)
    require_address(booking)
    if booking.choose_by is not None and booking.state in AWAITS_PAYMENT:
        raise Refused(Code.CHOICE_OPEN, choose_by=booking.choose_by)
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


@intent
def note_order(payment_id: int, report: OrderReport, *, now: datetime) -> None:
    """Keep the gateway's own id of an order, unless another payment has it."""
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    try:
        quarantine.require_same_order(payment, report)
    except Unbound as unbound:
        quarantine.keep_answer(report, unbound, now=now)
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
    close_attempt(payment, PaymentState.IDLE, now=now)
    end_attempt(booking, reason=Reason.ATTEMPT_IDLE, intent=Intent.END_IDLE_ATTEMPT, actor=TIMER, now=now)


def close_attempt(payment: Payment, state: PaymentState, *, now: datetime) -> None:
    """The attempt is over; its booking is moved by `end_attempt`. The caller holds the payment's lock."""
    payment.state, payment.closed_at = state, now
    payment.save(update_fields=["state", "closed_at"])


def end_attempt(booking: Booking, *, reason: Reason, intent: Intent, actor: str, now: datetime) -> None:
    """PAYMENT_PENDING → APPROVED while `pay_by` and its grace are ahead, else PAYMENT_FAILED."""
    deadline = policy.payment_deadline(payment_terms(booking).pay_by, held_session(booking).start)
    booking.next_ask_at = None
    if now < deadline or booking.choose_by is not None:  # a choice that is over is for its own timer
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
