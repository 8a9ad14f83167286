"""The payments queue: create orders, ask after open attempts, make refunds, call the lifecycle; and make receipts."""

from __future__ import annotations

import logging

from django.utils import timezone

from backend.bookings import actors, policy
from backend.bookings.lifecycle import attempts, payments, refunds
from backend.bookings.lifecycle.refunds import GatewayWork
from backend.core.errors import Permanent, Transient, required
from backend.outbox.messages import Snooze
from backend.outbox.models import Message, MessageState, Queue
from backend.payments import receipt_files, receipt_pdf
from backend.payments.adapters import gateway_named
from backend.payments.gateway import Order, OrderState, RefundOrder, RefundOrderState
from backend.payments.models import Payment, PaymentState, Receipt, Refund, RefundState
from workers.app import app
from workers.drain import drain as drain_queue

log = logging.getLogger(__name__)


@app.task(name="workers.payments.drain")
def drain() -> None:
    """Do what is due."""
    drain_queue(Queue.PAYMENTS, perform, helper=drain)


def perform(message: Message) -> MessageState | Snooze:
    """One piece of work at the gateway; a snooze while it has not made up its mind. Raises Transient or Permanent."""
    return _PERFORMERS[GatewayWork(message.kind)](required(message.subject_id, "subject_id", message))


def _ensure_order(payment_id: int) -> MessageState:
    payment = Payment.objects.get(pk=payment_id)
    if payment.state != PaymentState.OPEN:
        return MessageState.OBSOLETE
    report = gateway_named(payment.gateway).ensure_order(
        Order(payment.reference, payment.amount_paise, payment.currency)
    )
    attempts.note_order(payment_id, report, now=timezone.now())
    return MessageState.DONE


def _ask_gateway(payment_id: int) -> MessageState:
    """An unreachable gateway is no failure here: the sweep asks again within a minute, until it closes the attempt."""
    payment = Payment.objects.get(pk=payment_id)
    if payment.state != PaymentState.OPEN:
        return MessageState.OBSOLETE
    try:
        report = gateway_named(payment.gateway).fetch_order(payment.reference)
    except Transient as error:
        log.warning("the gateway did not answer: %s", error)
        return MessageState.DONE
    now = timezone.now()
    if report is not None and report.state is not OrderState.OPEN:
        payments.record_report(report, actor=actors.gateway(payment.gateway), now=now)
    else:
        attempts.end_idle_attempt(payment_id, now=now)
    return MessageState.DONE


def _make_refund(refund_id: int) -> MessageState | Snooze:
    """A pending refund is looked at again, ever more seldom; past its deadline it is left to staff."""
    refund = Refund.objects.select_related("payment").get(pk=refund_id)
    payment = refund.payment
    if refund.state == RefundState.DONE:  # a webhook was faster than our next look
        return MessageState.DONE
    report = gateway_named(payment.gateway).ensure_refund(
        RefundOrder(refund.reference, payment.reference, refund.amount_paise, payment.captured_currency)
    )
    now = timezone.now()
    refunds.record_refund(refund_id, report, now=now)
    if report.state is RefundOrderState.REFUSED:
        raise Permanent("the gateway refused the refund")
    if report.state is RefundOrderState.PENDING and now < refund.queued_at + policy.REFUND_ASKED_FOR:
        return Snooze(policy.refund_asked_again(refund.queued_at, now))
    return MessageState.DONE


def _make_receipt(receipt_id: int) -> MessageState:
    """The document of a receipt or credit note, once for all; no gateway takes part."""
    receipt = Receipt.objects.select_related("original").get(pk=receipt_id)
    if not hasattr(receipt, "file"):
        receipt_files.keep(receipt, receipt_pdf.render(receipt), now=timezone.now())
    return MessageState.DONE


_PERFORMERS = {
    GatewayWork.ENSURE_ORDER: _ensure_order,
    GatewayWork.ASK_GATEWAY: _ask_gateway,
    GatewayWork.MAKE_REFUND: _make_refund,
    GatewayWork.MAKE_RECEIPT: _make_receipt,
}
