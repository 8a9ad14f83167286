"""Refunds, each asked for once: looked for first, then under an idempotency key.

https://razorpay.com/docs/api/refunds/normal-refunds-idempotent
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from http import HTTPStatus

from backend.core.errors import Permanent, Transient, Unreadable
from backend.core.outgoing.asking import Call
from backend.core.outgoing.fields import Fields, Malformed
from backend.payments.gateway import RefundOrder, RefundOrderState, RefundReport
from backend.payments.razorpay import orders
from backend.payments.razorpay.api import NAME, Api, Refusal, pages
from backend.payments.razorpay.wire import NOTE, Payment, noted

_STATES = {
    "pending": RefundOrderState.PENDING,
    "processed": RefundOrderState.DONE,
    "failed": RefundOrderState.REFUSED,
}
_KEY = re.compile(r"[A-Za-z0-9_-]{10,64}")
_NOT_COVERED = re.compile(r"greater than|fully refunded|not (been )?captured|status should be captured", re.IGNORECASE)
_PASSING = re.compile(r"balance", re.IGNORECASE)  # of our account, which the next day's payments fill


def ensure(begin: Callable[[], Call], refund: RefundOrder) -> RefundReport:
    """See `Gateway.ensure_refund`. A refund that Razorpay does not take exists nowhere there: it is REFUSED, no id."""
    call = begin()
    api = Api(call)
    capture_id = refund.capture_id or _capture_of(api, refund.payment_reference)
    if not capture_id:
        return RefundReport(refund.reference, "", RefundOrderState.REFUSED, refund.amount_paise, "nothing was captured")
    found = _find(lambda: call, capture_id, refund.reference)
    if found is None:
        found = _create(api, capture_id, refund)
    if found.amount_paise != refund.amount_paise:
        raise Permanent(f"{NAME}: the refund {refund.reference} exists with another sum", surely_not_sent=True)
    return found


def fetch(begin: Callable[[], Call], reference: str, link_id: str) -> list[RefundReport]:
    """See `Gateway.fetch_refunds`."""
    api = Api(begin())
    link = orders.find(api, reference, link_id)
    captured = [payment for payment in orders.tried(api, link) if payment.is_captured] if link else []
    return [report for payment in captured for report in _listed(begin, payment.id)]


def read_report(fields: Fields) -> RefundReport:
    """Raises `Malformed`. A state that we do not know is pending: it is asked after again."""
    return RefundReport(
        reference=fields.text_or_empty("receipt") or noted(fields),
        gateway_refund_id=fields.id("id"),
        state=_STATES.get(fields.id("status"), RefundOrderState.PENDING),
        amount_paise=fields.paise("amount"),
    )


def _capture_of(api: Api, reference: str) -> str:
    """The capture of an order, "" if none. Raises `Permanent` for an order that is not there."""
    link = orders.find(api, reference)
    if link is None:
        raise Permanent(f"{NAME}: no order {reference}", surely_not_sent=True)
    captured: list[Payment] = [payment for payment in orders.tried(api, link) if payment.is_captured]
    return captured[0].id if captured else ""


def _find(begin: Callable[[], Call], capture_id: str, reference: str) -> RefundReport | None:
    return next((report for report in _listed(begin, capture_id) if report.reference == reference), None)


def _listed(begin: Callable[[], Call], capture_id: str) -> list[RefundReport]:
    try:
        return [read_report(item) for item in pages(begin, "payments", capture_id, "refunds")]
    except Malformed as error:
        raise Unreadable(f"{NAME}: unreadable answer, {error}") from error


def _create(api: Api, capture_id: str, refund: RefundOrder) -> RefundReport:
    body = {"amount": refund.amount_paise, "receipt": refund.reference, "notes": {NOTE: refund.reference}}
    try:
        report = read_report(api.refund(capture_id, body, key=_key(refund.reference)))
    except Refusal as refusal:
        return _refused(refund, refusal)
    except Malformed as error:
        raise Unreadable(f"{NAME}: unreadable answer, {error}") from error
    if report.reference != refund.reference:
        raise Unreadable(f"{NAME}: an answer about another reference")
    return report


def _refused(refund: RefundOrder, refusal: Refusal) -> RefundReport:
    """Nothing to refund from is the end of this refund; an empty balance is not."""
    if _PASSING.search(refusal.words):
        raise Transient(str(refusal)) from refusal
    if refusal.status == HTTPStatus.BAD_REQUEST and _NOT_COVERED.search(refusal.words):
        return RefundReport(refund.reference, "", RefundOrderState.REFUSED, refund.amount_paise, refusal.words)
    raise refusal


def _key(reference: str) -> str:
    """Our reference, where Razorpay takes it as a key."""
    return reference if _KEY.fullmatch(reference) else hashlib.sha256(reference.encode()).hexdigest()
