"""An attempt to pay: it begins, is asked after when it stays open, and ends declined or left idle."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from backend.bookings import policy
from backend.bookings.guarantees import deadline, held_session, payment_terms
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import Details, NotPaidInTime, PaymentStarted
from backend.bookings.lifecycle import quarantine
from backend.bookings.lifecycle.callers import require_address
from backend.bookings.lifecycle.notify import notify_visitor
from backend.bookings.lifecycle.quarantine import Unbound
from backend.bookings.lifecycle.refunds import (
    GatewayWork,
    enqueue_gateway_work,
    give_back_parts,
    new_reference,
    notify_refunds,
)
from backend.bookings.lifecycle.transaction import (
    TIMER,
    VISITOR,
    intent,
    lock_booking,
    record_event,
    run_transition,
)
from backend.bookings.machine import AWAITS_PAYMENT, TAKES_PLACE, Reason, State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.bookings.payment_status import is_paid_up, outstanding_paise
from backend.core import batched_writes, compiled_writes, row_locks
from backend.core.compiled_queries import Given, compiled
from backend.core.errors import Code, Refused
from backend.payments.gateway import OrderReport, OrderState
from backend.payments.models import PageState, Payment, PaymentState

NAMED_BY_MOST = 80  # letters of an event's id in a message's key; of a longer one its digest


@intent
def start_payment(acknowledgement_id: str, *, now: datetime) -> Payment:
    """APPROVED → PAYMENT_PENDING; asked again while the attempt is open: the same payment.

    Refuses: booking_unknown, already_paid, nothing_to_pay, pay_by_passed, state_refuses, payments_unavailable,
    no_address, choice_open.
    """
    known = _id_of.first(acknowledgement_id=acknowledgement_id)
    if known is None:
        raise Refused(Code.BOOKING_UNKNOWN)
    booking = lock_booking(*known)
    if booking.state == State.DRAFT or booking.verified_at is None:
        raise Refused(Code.BOOKING_UNKNOWN)
    refuse_unless_payable(booking, now=now)
    if booking.state == State.PAYMENT_PENDING:
        return Payment.objects.open().get(booking=booking)
    return _begin_attempt(booking, now=now)


def refuse_unless_payable(booking: Booking, *, now: datetime) -> None:
    """Whether a visitor may begin to pay, or go on. Refuses: as `start_payment`, save booking_unknown."""
    require_address(booking)
    if booking.choose_by is not None and booking.state in AWAITS_PAYMENT:
        raise Refused(Code.CHOICE_OPEN, choose_by=booking.choose_by)
    if booking.state == State.PAYMENT_PENDING:
        return
    if booking.state in TAKES_PLACE:
        raise Refused(Code.ALREADY_PAID if is_paid_up(booking) else Code.NOTHING_TO_PAY)
    if booking.state != State.APPROVED:
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    if now >= deadline(booking):
        raise Refused(Code.PAY_BY_PASSED)
    if not settings.PAYMENT_GATEWAY:
        raise Refused(Code.PAYMENTS_UNAVAILABLE)


@compiled
def _id_of() -> QuerySet[Booking, Any]:
    known = Booking.objects.filter(acknowledgement_id=Given("acknowledgement_id"), purged_at=None)
    return known.order_by().values_list("pk")


def _begin_attempt(booking: Booking, *, now: datetime) -> Payment:
    terms = payment_terms(booking)
    payment = Payment(
        booking=booking,
        reference=new_reference("PAY"),
        gateway=settings.PAYMENT_GATEWAY,
        amount_paise=outstanding_paise(booking),
        currency=policy.CURRENCY,
        started_at=now,
    )
    compiled_writes.insert([payment])
    due_at = policy.attempt_deadline(now, terms.pay_by, held_session(booking).start)
    work = GatewayWork.ENSURE_ORDER
    with batched_writes.batch():
        run_transition(
            booking,
            lambda: booking.start_payment(due_at=due_at),
            intent=Intent.START_PAYMENT,
            actor=VISITOR,
            now=now,
            details=PaymentStarted(payment.pk),
        )
        enqueue_gateway_work(work, payment, key=f"payment:{payment.pk}:{work}", now=now)
    return payment


@intent
def open_page(payment_id: int) -> Payment | None:
    """Say that the attempt's hosted page may be there from now on, before the gateway is asked for it.

    Returns the attempt whose page is in the way: a booking never has two. Its state says whether it is to be closed.
    """
    payment = Payment.objects.get(pk=payment_id)
    lock_booking(payment.booking_id)
    in_the_way = Payment.objects.with_open_page().filter(booking=payment.booking_id).exclude(pk=payment_id).first()
    if in_the_way is None:
        Payment.objects.open().filter(pk=payment_id, page_state=PageState.NONE).update(page_state=PageState.OPEN)
    return in_the_way


@intent
def note_order(payment_id: int, report: OrderReport, *, now: datetime) -> None:
    """Keep what the gateway says of an order that moves nothing, unless the order is another payment's.

    A page that was made for an attempt that is over by now is closed again.
    """
    payment = Payment.objects.select_for_update().get(pk=payment_id)
    try:
        quarantine.require_same_order(payment, report)
    except Unbound as unbound:
        quarantine.keep_answer(report, unbound, now=now)
        return
    keep_facts(payment, report)
    if payment.state != PaymentState.OPEN:
        close_page(payment, now=now)


@intent
def note_no_page(payment_id: int) -> None:
    """The gateway knows no such order, and nobody is about to make it: the page of an attempt that is over is none."""
    over = Payment.objects.with_open_page().filter(pk=payment_id).exclude(state=PaymentState.OPEN)
    over.update(page_state=PageState.CLOSED)


def keep_facts(payment: Payment, report: OrderReport) -> None:
    """What a report says beside its state. The caller holds the payment's lock, and knows that the order is its own."""
    if payment.state == PaymentState.CAPTURED and report.state != OrderState.CAPTURED:
        return  # it was asked before the money came
    _save_changed(payment, _facts(payment, report))
    learn(payment, report)


def take_facts(payment: Payment, report: OrderReport) -> list[str]:
    """The same of a capture, which its caller saves: the columns that changed."""
    return _changed(payment, _facts(payment, report))


def _facts(payment: Payment, report: OrderReport) -> Mapping[str, object]:
    facts = {
        "gateway_order_id": payment.gateway_order_id or report.gateway_order_id,
        "pay_url": report.pay_url or payment.pay_url,
        "page_expires_at": report.expires_at or payment.page_expires_at,
        "last_try": str(report.last_try),
    }
    if payment.page_state == PageState.OPEN and report.state in (OrderState.CLOSED, OrderState.CAPTURED):
        facts["page_state"] = PageState.CLOSED
    return facts


def learn(payment: Payment, report: OrderReport) -> None:
    """What a later report knows of the capture: a gateway tells its fee when it knows it. The caller holds the lock."""
    if payment.capture_id and payment.capture_id == report.capture_id:
        told = report.capture
        learnt = {"paid_by": told.method, "fee_paise": told.fee_paise, "tax_paise": told.tax_paise}
        _save_changed(payment, {name: value for name, value in learnt.items() if value not in ("", None)})


def _save_changed(payment: Payment, facts: Mapping[str, object]) -> None:
    if changed := _changed(payment, facts):
        compiled_writes.update(payment, changed)


def _changed(payment: Payment, facts: Mapping[str, object]) -> list[str]:
    """Set on the row; the columns that were otherwise."""
    changed = [name for name, value in facts.items() if getattr(payment, name) != value]
    for name in changed:
        setattr(payment, name, facts[name])
    return changed


def close_page(payment: Payment, *, now: datetime) -> None:
    """Owe the closing of the attempt's page, if it may be open."""
    if payment.page_state == PageState.OPEN:
        work = GatewayWork.CLOSE_ORDER
        enqueue_gateway_work(work, payment, key=f"payment:{payment.pk}:{work}", now=now)


def look_at_order(payment: Payment, *, because_of: str, now: datetime) -> None:
    """Owe the question what became of an order; once for each thing that happened, which `because_of` names."""
    work = GatewayWork.LOOK_AT_ORDER
    if len(because_of) > NAMED_BY_MOST:
        because_of = hashlib.sha256(because_of.encode()).hexdigest()
    enqueue_gateway_work(work, payment, key=f"payment:{payment.pk}:{work}:{because_of}", now=now)


def takes_money(payment: Payment) -> bool:
    """Whether the booking's state would let a capture of it stand."""
    booking = payment.booking
    return booking.state in AWAITS_PAYMENT or booking.reason == Reason.PAYMENT_TIMED_OUT


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
    compiled_writes.update(payment, ("state", "closed_at"))
    close_page(payment, now=now)


_open_attempts = row_locks.Lock(lambda: Payment.objects.open().filter(booking=Given("booking")))


def close_open_attempt(booking: Booking, *, now: datetime) -> None:
    """The booking is paid otherwise, or closed: money that still comes of its open attempt is unexpected, or late."""
    close_idle(lock_open_attempts(booking), now=now)


def lock_open_attempts(booking: Booking) -> list[Payment]:
    """The one that is open, or none."""
    return _open_attempts.take(booking=booking.pk)


def close_idle(attempts: Iterable[Payment], *, now: datetime) -> None:
    """These open attempts, whose locks are held, end without having paid."""
    for payment in attempts:
        close_attempt(payment, PaymentState.IDLE, now=now)


def note_on_sum(booking: Booking, *, intent: Intent, details: Details, actor: str, now: datetime) -> None:
    """What is left to pay has changed. PAYMENT_PENDING → APPROVED, for the open attempt asks for another sum."""
    if booking.state != State.PAYMENT_PENDING:
        record_event(booking, intent=intent, actor=actor, now=now, details=details)
        return
    close_open_attempt(booking, now=now)
    booking.next_ask_at = None
    due_at = policy.payment_deadline(payment_terms(booking).pay_by, held_session(booking).start)
    step = lambda: booking.end_attempt(due_at=due_at, reason=Reason.ATTEMPT_IDLE)  # noqa: E731
    run_transition(booking, step, intent=intent, actor=actor, now=now, details=details)


def end_attempt(booking: Booking, *, reason: Reason, intent: Intent, actor: str, now: datetime) -> None:
    """PAYMENT_PENDING → APPROVED while `pay_by` and its grace are ahead, else PAYMENT_FAILED, and parts go back."""
    deadline = policy.payment_deadline(payment_terms(booking).pay_by, held_session(booking).start)
    booking.next_ask_at = None
    if now < deadline or booking.choose_by is not None:  # a choice that is over is for its own timer
        run_transition(
            booking,
            lambda: booking.end_attempt(due_at=deadline, reason=reason),
            intent=intent,
            actor=actor,
            now=now,
            details=NotPaidInTime(),
        )
        notify_visitor(booking, Notice.PAYMENT_ATTEMPT_FAILED, now=now)
        return
    refunds, details = give_back_parts(booking, now=now)
    run_transition(
        booking,
        lambda: booking.fail_payment(reason=Reason.PAYMENT_TIMED_OUT, now=now),
        intent=intent,
        actor=actor,
        now=now,
        details=details,
    )
    notify_visitor(booking, Notice.PAYMENT_TIMED_OUT, now=now)
    notify_refunds(booking, refunds, now=now)
