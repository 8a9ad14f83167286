"""The payments queue: create orders, ask after open attempts, make refunds, call the lifecycle; and make receipts."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from backend.bookings import actors, policy
from backend.bookings.lifecycle import attempts, payments, reconciliation, refunds
from backend.bookings.lifecycle.refunds import GatewayWork
from backend.bookings.links import pay_page
from backend.core.errors import Permanent, Refused, Transient, Unreadable, required
from backend.ops import reconciler
from backend.outbox.attempts import Snooze
from backend.outbox.models import Message, MessageState, Queue
from backend.payments import receipt_files, settlements
from backend.payments.adapters import gateway_named
from backend.payments.gateway import LastTry, Order, OrderReport, OrderState, RefundOrder, RefundOrderState
from backend.payments.models import PageState, Payment, PaymentState, Receipt, Reconciliation, Refund, RefundState
from workers.app import app
from workers.drain import drain as drain_queue

log = logging.getLogger(__name__)

CLOSED_AGAIN_AFTER = timedelta(seconds=10)  # a page that could not be closed: a payment is going on there
COMPARED_AGAIN_AFTER = timedelta(seconds=30)
COMPARED_WITHIN = timedelta(minutes=5)  # of the ten until the next round
GIVEN_UP_AFTER = timedelta(hours=1)  # past the page's own end
MADE_WITHIN = timedelta(minutes=3)  # by a worker that had begun to make it: three leases


@app.task(name="workers.payments.drain")
def drain() -> None:
    """Do what is due."""
    drain_queue(Queue.PAYMENTS, perform, helper=drain)


@app.task(name="workers.payments.fetch_settlements")
def fetch_settlements() -> None:
    """What the gateways paid out in the last days; what fails is asked for again within the hour."""
    now = timezone.now()
    for name in settlements.gateways_in_use(now=now):
        for day in settlements.days_to_fetch(now=now):
            try:
                settlements.fetch_day(gateway_named(name), day)
            except (Transient, Permanent, Refused) as error:
                log.warning("the settlements of %s at %s are not known: %s", day, name, error)
                if not isinstance(error, Unreadable):
                    break


def perform(message: Message) -> MessageState | Snooze:
    """One piece of work at the gateway; a snooze while it has not made up its mind. Raises Transient or Permanent."""
    return _PERFORMERS[GatewayWork(message.kind)](required(message.subject_id, "subject_id", message))


def _ensure_order(payment_id: int) -> MessageState | Snooze:
    """The order of an attempt. Its hosted page waits until the one of an earlier attempt is closed."""
    payment = _payment(payment_id)
    gateway = gateway_named(payment.gateway)
    if payment.state != PaymentState.OPEN:
        return MessageState.OBSOLETE
    if gateway.has_pages and (in_the_way := attempts.open_page(payment_id)) is not None:
        is_closed = _close(in_the_way)
        return Snooze(timezone.now() + (timedelta(0) if is_closed else CLOSED_AGAIN_AFTER))
    report = gateway.ensure_order(
        Order(
            payment.reference,
            payment.amount_paise,
            payment.currency,
            description=f"{settings.PAYMENT_NAME} {payment.booking.acknowledgement_id}",
            return_url=pay_page(payment.reference),
            expires_at=payment.booking.due_at,
        )
    )
    attempts.note_order(payment_id, report, now=timezone.now())
    return MessageState.DONE


def _ask_gateway(payment_id: int) -> MessageState:
    """An unreachable gateway is no failure here: the sweep asks again within a minute, until it closes the attempt.

    So it does while the bank has not spoken.
    """
    payment = _payment(payment_id)
    if payment.state != PaymentState.OPEN:
        return MessageState.OBSOLETE
    try:
        report = _look(payment)
    except Transient as error:
        log.warning("the gateway did not answer: %s", error)
        return MessageState.DONE
    if report is None or (_is_nothing(report) and report.last_try is not LastTry.PENDING):
        attempts.end_idle_attempt(payment_id, now=timezone.now())
    return MessageState.DONE


def _look_at_order(payment_id: int) -> MessageState:
    _look(_payment(payment_id))
    return MessageState.DONE


def _look(payment: Payment) -> OrderReport | None:
    """Ask what became of the order, and record it. What is authorised is captured, if it would be kept."""
    gateway = gateway_named(payment.gateway)
    report = gateway.fetch_order(payment.reference, payment.gateway_order_id)
    if report is not None and report.state is OrderState.AUTHORISED and attempts.takes_money(payment):
        report = gateway.complete_order(payment.reference, payment.gateway_order_id)
    if report is not None:
        payments.record_report(report, actor=actors.gateway(payment.gateway), now=timezone.now())
    return report


def _is_nothing(report: OrderReport) -> bool:
    return report.state in (OrderState.OPEN, OrderState.CLOSED)


def _close_order(payment_id: int) -> MessageState | Snooze:
    """Tried again until the page would have expired by itself; from then on it is for staff."""
    payment = _payment(payment_id)
    if payment.page_state != PageState.OPEN:
        return MessageState.OBSOLETE
    if _close(payment):
        return MessageState.DONE
    now = timezone.now()
    if now > (payment.page_expires_at or payment.started_at) + GIVEN_UP_AFTER:
        raise Permanent("the gateway does not close its page")
    return Snooze(now + CLOSED_AGAIN_AFTER)


def _close(payment: Payment) -> bool:
    """Whether the page of an attempt takes no money any more; what it took is recorded."""
    report = gateway_named(payment.gateway).close_order(payment.reference, payment.gateway_order_id)
    now = timezone.now()
    if report is not None:
        payments.record_report(report, actor=actors.gateway(payment.gateway), now=now)
        return report.state in (OrderState.CLOSED, OrderState.CAPTURED)
    # unknown to the gateway: perhaps a worker is about to make it, which takes a lease at the longest
    is_over = payment.closed_at is not None and now > payment.closed_at + MADE_WITHIN
    if is_over:
        attempts.note_no_page(payment.pk)
    return is_over


def _payment(payment_id: int) -> Payment:
    return Payment.objects.select_related("booking").get(pk=payment_id)


def _make_refund(refund_id: int) -> MessageState | Snooze:
    """A pending refund is looked at again, ever more seldom; past its deadline it is left to staff."""
    refund = Refund.objects.select_related("payment").get(pk=refund_id)
    payment = refund.payment
    if refund.state == RefundState.DONE:  # a webhook was faster than our next look
        return MessageState.DONE
    report = gateway_named(payment.gateway).ensure_refund(
        RefundOrder(
            refund.reference,
            payment.reference,
            refund.amount_paise,
            payment.captured_currency,
            capture_id=payment.capture_id,
        )
    )
    now = timezone.now()
    refunds.record_refund(refund_id, report, now=now)
    if report.state is RefundOrderState.REFUSED:
        raise Permanent("the gateway refused the refund")
    if report.state is RefundOrderState.PENDING and now < refund.queued_at + policy.REFUND_ASKED_FOR:
        return Snooze(policy.refund_asked_again(refund.queued_at, now))
    return MessageState.DONE


def _reconcile(row_id: int) -> MessageState | Snooze:
    """Our books against a gateway's, piece by piece. While it does not answer the round waits, and then ends: the next
    one is never far."""
    row, now = Reconciliation.objects.get(pk=row_id), timezone.now()
    if row.ended_at is not None:
        return MessageState.OBSOLETE
    try:
        return Snooze(now) if reconciler.go_on(row) else MessageState.DONE
    except Transient as error:
        log.warning("our books could not be compared: %s", error)
        if now < row.begun_at + COMPARED_WITHIN:
            return Snooze(now + COMPARED_AGAIN_AFTER)
    except (Permanent, Refused) as error:
        log.error("our books cannot be compared: %s", error)  # the finding says it, so no dead letter has to
    reconciliation.end_round(row, is_complete=False, now=now)
    return MessageState.DONE


def _make_receipt(receipt_id: int) -> MessageState:
    """The document of a receipt or credit note, once for all; no gateway takes part."""
    from backend.payments import receipt_pdf  # letters and pictures, a tenth of a second to load, for this alone

    receipt = Receipt.objects.select_related("original").get(pk=receipt_id)
    if not receipt_files.is_kept(receipt):
        receipt_files.keep(receipt, receipt_pdf.render(receipt), now=timezone.now())
    return MessageState.DONE


_PERFORMERS = {
    GatewayWork.ENSURE_ORDER: _ensure_order,
    GatewayWork.ASK_GATEWAY: _ask_gateway,
    GatewayWork.LOOK_AT_ORDER: _look_at_order,
    GatewayWork.CLOSE_ORDER: _close_order,
    GatewayWork.MAKE_REFUND: _make_refund,
    GatewayWork.RECONCILE: _reconcile,
    GatewayWork.MAKE_RECEIPT: _make_receipt,
}
