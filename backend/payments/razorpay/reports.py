"""What a link and its payments mean for an order: money that came, or may come, counts more than the link's state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from backend.payments.gateway import Capture, LastTry, OrderReport, OrderState
from backend.payments.razorpay.wire import Link, LinkStatus, Payment, PaymentStatus

_CLOSED = (LinkStatus.CANCELLED, LinkStatus.EXPIRED)
_LONG_AGO = datetime.fromtimestamp(0, UTC)


def order_report(link: Link, payments: Sequence[Payment]) -> OrderReport:
    """Of several captures it tells the one that began first, so the same at every look."""
    in_order = sorted(payments, key=lambda payment: (payment.begun_at or _LONG_AGO, payment.id))
    captured = next((payment for payment in in_order if payment.is_captured), None)
    if captured is not None:
        return capture_report(captured, reference=link.reference, link_id=link.id, link=link)
    is_authorised = any(payment.status == PaymentStatus.AUTHORIZED for payment in in_order)
    state = OrderState.CLOSED if link.status in _CLOSED else OrderState.OPEN
    return OrderReport(
        reference=link.reference,
        gateway_order_id=link.id,
        state=OrderState.AUTHORISED if is_authorised else state,
        amount_paise=link.amount_paise,
        currency=link.currency,
        capture_id="",
        pay_url=link.pay_url,
        expires_at=link.expires_at,
        last_try=LastTry.NONE if is_authorised else _last_try(in_order),
    )


def capture_report(payment: Payment, *, reference: str, link_id: str, link: Link | None = None) -> OrderReport:
    """Of a captured payment. Razorpay does not say when it was captured: what is told is when it began."""
    return OrderReport(
        reference=reference,
        gateway_order_id=link_id,
        state=OrderState.CAPTURED,
        amount_paise=payment.amount_paise,
        currency=payment.currency,
        capture_id=payment.id,
        pay_url=link.pay_url if link else "",
        expires_at=link.expires_at if link else None,
        capture=Capture(payment.method, payment.fee_paise, payment.tax_paise, payment.begun_at),
    )


def _last_try(in_order: Sequence[Payment]) -> LastTry:
    """A try of which the bank has not spoken outweighs a later one that failed: both may take the money."""
    states = [payment.status for payment in in_order]
    if PaymentStatus.CREATED in states:
        return LastTry.PENDING
    return LastTry.DECLINED if states else LastTry.NONE
