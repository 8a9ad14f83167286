"""Money is bound to what it was for: a report that fits no payment or refund of ours is kept, and moves nothing."""

from __future__ import annotations

import hashlib
import logging
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from backend.core import correlation
from backend.core.compiled_queries import Given, compiled
from backend.payments.gateway import EventKind, OrderReport, OrderState, RefundReport
from backend.payments.models import KEPT_WHY_LONGEST, REFERENCE_LONGEST, InboxEvent, Payment, Refund

log = logging.getLogger(__name__)

QUARANTINED = "quarantined"  # the result of such an event
UNREADABLE = "a text in it is longer than any of ours, or cannot be printed"


class Unbound(Exception):
    """The report is not about this payment or refund. Raised before anything is written; its text says why."""


def require_same_order(payment: Payment, report: OrderReport) -> None:
    """The order and the capture are this payment's, or nobody's yet. The caller holds the payment's lock.

    Two payments reported with the same new id at once are kept apart by the database. Raises Unbound.
    """
    if payment.gateway_order_id and payment.gateway_order_id != report.gateway_order_id:
        raise Unbound(f"the order of this payment is {payment.gateway_order_id}, not {report.gateway_order_id}")
    order, capture = report.gateway_order_id, report.capture_id
    others = _of_others.rows(gateway=payment.gateway, id=payment.pk, order=order, capture=capture or order)
    if any(theirs == order for theirs, _ in others):
        raise Unbound(f"the order {order} is another payment's")
    if not capture:
        return
    if payment.capture_id and payment.capture_id != capture:
        raise Unbound(f"this payment was captured by {payment.capture_id} already, and now by {capture}")
    if any(theirs == capture for _, theirs in others):
        raise Unbound(f"the capture {capture} is another payment's")


@compiled
def _of_others() -> QuerySet[Payment, Any]:
    """Of each id there is one at most."""
    others = Payment.objects.filter(gateway=Given("gateway")).exclude(pk=Given("id")).order_by()
    of_them = others.filter(Q(gateway_order_id=Given("order")) | Q(capture_id=Given("capture")))
    return of_them.values_list("gateway_order_id", "capture_id")


def require_same_refund(refund: Refund, report: RefundReport) -> None:
    """The sum is what we asked to be given back, and the gateway's id has not changed. Raises Unbound."""
    if report.amount_paise != refund.amount_paise:
        raise Unbound(f"the refund is of {refund.amount_paise} paise, not {report.amount_paise}")
    if refund.gateway_refund_id and refund.gateway_refund_id != report.gateway_refund_id:
        raise Unbound(f"the refund is {refund.gateway_refund_id}, not {report.gateway_refund_id}")


def keep(gateway: str, kind: EventKind, reference: str, why: str, *, now: datetime, event_id: str = "") -> None:
    """Keep the report once, and tell operators. Without an event's id it was an answer to a question of ours."""
    known_by = event_id or "answer:" + hashlib.sha256(f"{reference} {why}".encode()).hexdigest()[:32]
    row = InboxEvent(
        gateway=gateway,
        event_id=known_by,
        kind=kind,
        payment_reference=reference[:REFERENCE_LONGEST],
        result=QUARANTINED,
        why=why[:KEPT_WHY_LONGEST],
        correlation_id=correlation.current(),
        received_at=now,
        applied_at=now,
    )
    if InboxEvent.objects.filter(gateway=gateway, event_id=known_by).exists():  # found again at every look
        return
    InboxEvent.objects.bulk_create([row], ignore_conflicts=True)
    log.error("kept in quarantine: %s %s, %s", gateway, known_by, why)


def keep_answer(report: OrderReport, why: Unbound, *, now: datetime) -> None:
    """Keep what a gateway answered to a question of ours, as `keep` does."""
    gateway = Payment.objects.values_list("gateway", flat=True).get(reference=report.reference)
    is_captured = report.state == OrderState.CAPTURED
    kind = EventKind.ORDER_CAPTURED if is_captured else EventKind.OTHER
    keep(gateway, kind, report.reference, str(why), now=now)
