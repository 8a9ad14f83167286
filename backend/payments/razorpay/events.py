"""What a webhook of Razorpay tells. One capture makes up to three of them, in any order, each a snapshot of its moment.

https://razorpay.com/docs/webhooks/payment-links, …/payments, …/orders, …/refunds
"""

from __future__ import annotations

import hashlib

from backend.core.outgoing.fields import ID_LONGEST, Fields, Malformed, Unfit
from backend.payments.gateway import Event, EventKind, OrderReport, RefundOrderState
from backend.payments.razorpay.refunds import read_report
from backend.payments.razorpay.reports import capture_report
from backend.payments.razorpay.wire import noted, read_link, read_payment

_TOUCHED_LINK = ("payment_link.expired", "payment_link.cancelled", "payment_link.partially_paid")
_TOUCHED_PAYMENT = ("payment.authorized", "payment.failed")
_CAPTURED = ("payment.captured", "order.paid")
_REFUNDED = {"refund.processed": RefundOrderState.DONE, "refund.failed": RefundOrderState.REFUSED}
_KINDS = {RefundOrderState.DONE: EventKind.REFUND_DONE, RefundOrderState.REFUSED: EventKind.REFUND_REFUSED}


def read_event(body: bytes, event_id: str, *, account_id: str) -> Event:
    """Of a body that is genuine. `event_id` is what its header said, `account_id` ours, each "" if there is none.

    One that is of another account, or cannot be read, is UNREADABLE: to refuse it would make it come for a day.
    """
    known_as = _bounded(event_id, body)
    try:
        fields = Fields.parse(body)
        if account_id and fields.data.get("account_id") not in (None, account_id):
            return _unreadable(known_as, "it is of another account at the gateway")
        return _read(known_as, fields)
    except Unfit:
        return _unreadable(known_as, "")
    except Malformed as error:
        return _unreadable(known_as, str(error))


def _unreadable(event_id: str, why: str) -> Event:
    return Event(event_id, EventKind.UNREADABLE, None, None, why=why)


def _bounded(event_id: str, body: bytes) -> str:
    """The same at every delivery: what the header says, or what stands for one that is missing or does not fit."""
    if event_id and len(event_id) <= ID_LONGEST and event_id.isprintable():
        return event_id
    return f"sha256:{hashlib.sha256(event_id.encode(errors='surrogatepass') or body).hexdigest()}"


def _read(event_id: str, fields: Fields) -> Event:
    """A kind that we do not know is OTHER: gateways add kinds without asking."""
    kind = fields.id("event")
    if kind == "payment_link.paid":
        return _link_paid(event_id, fields)
    if kind in _TOUCHED_LINK:
        return _touched(event_id, noted(_entity(fields, "payment_link")))
    if kind in _TOUCHED_PAYMENT:
        return _touched(event_id, noted(_entity(fields, "payment")))
    if kind in _CAPTURED:
        return _captured(event_id, fields)
    if kind in _REFUNDED:
        return _refunded(event_id, fields, _REFUNDED[kind])
    return _other(event_id)


def _link_paid(event_id: str, fields: Fields) -> Event:
    """A link that was not made by us has none of our notes."""
    entity = _entity(fields, "payment_link")
    if not noted(entity):
        return _other(event_id)
    link, payment = read_link(entity), read_payment(_entity(fields, "payment"))
    if not payment.is_captured:
        return _touched(event_id, link.reference)
    report = capture_report(payment, reference=link.reference, link_id=link.id, link=link)
    return _told(event_id, report)


def _captured(event_id: str, fields: Fields) -> Event:
    """The same capture again, told of the payment alone. If that does not name its link, the order has to be asked."""
    payment = read_payment(_entity(fields, "payment"))
    if not (payment.reference and payment.link_id and payment.is_captured):
        return _touched(event_id, payment.reference)
    return _told(event_id, capture_report(payment, reference=payment.reference, link_id=payment.link_id))


def _refunded(event_id: str, fields: Fields, state: RefundOrderState) -> Event:
    """What somebody gave back at Razorpay's own desk is for the reconciler, which asks about the payment."""
    refund = read_report(_entity(fields, "refund"))
    if not refund.reference:
        return _touched(event_id, noted(_entity(fields, "payment")))
    if refund.state is not state:
        return _other(event_id)
    return Event(event_id, _KINDS[state], None, refund)


def _told(event_id: str, report: OrderReport) -> Event:
    return Event(event_id, EventKind.ORDER_CAPTURED, report, None)


def _touched(event_id: str, reference: str) -> Event:
    return Event(event_id, EventKind.ORDER_TOUCHED, None, None, reference) if reference else _other(event_id)


def _other(event_id: str) -> Event:
    return Event(event_id, EventKind.OTHER, None, None)


def _entity(fields: Fields, name: str) -> Fields:
    return fields.part("payload", name, "entity")
