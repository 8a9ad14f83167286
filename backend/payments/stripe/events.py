"""Reads Stripe's webhooks, whose signature was checked: what is genuine is taken, also what we cannot read."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from backend.core.outgoing.fields import Fields, Malformed, Unfit
from backend.payments.gateway import Event, EventKind, LastTry, OrderState, RefundOrderState
from backend.payments.stripe.objects import read_refund, read_session, reference_of

_REFUND_KINDS = {
    RefundOrderState.DONE: EventKind.REFUND_DONE,
    RefundOrderState.REFUSED: EventKind.REFUND_REFUSED,
}


def read_event(body: bytes) -> Event:
    """Never refuses: a webhook that is refused comes again for days, and then Stripe turns all of them off."""
    try:
        fields = Fields.parse(body)
        event_id = fields.id("id")
    except Malformed as error:
        return _unreadable(f"sha256:{hashlib.sha256(body).hexdigest()}", error)
    try:
        return _read(event_id, fields)
    except Malformed as error:
        return _unreadable(event_id, error)


def _unreadable(event_id: str, error: Malformed) -> Event:
    why = "" if isinstance(error, Unfit) else str(error)
    return Event(event_id, EventKind.UNREADABLE, None, None, why=why)


def _read(event_id: str, fields: Fields) -> Event:
    """What is not about a payment of ours is OTHER, and is not looked at."""
    match fields.text("type"):
        case "checkout.session.completed" | "checkout.session.async_payment_succeeded":
            return _read_paid(event_id, _subject(fields))
        case "checkout.session.async_payment_failed":
            return _read_declined(event_id, _subject(fields))
        case (
            "checkout.session.expired"
            | "payment_intent.amount_capturable_updated"
            | "payment_intent.canceled"
            | "payment_intent.payment_failed"
            | "payment_intent.processing"
            | "payment_intent.succeeded"
            | "charge.refunded"
        ):
            return _touched(event_id, reference_of(_subject(fields)))
        case "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated":
            return _read_refund(event_id, _subject(fields))
    return Event(event_id, EventKind.OTHER, None, None)


def _subject(fields: Fields) -> Fields:
    return fields.part("data", "object")


def _read_paid(event_id: str, session: Fields) -> Event:
    """A session is complete before the money has come where the bank takes its time."""
    if not reference_of(session):
        return Event(event_id, EventKind.OTHER, None, None)
    report = read_session(session)
    if report.state is OrderState.CAPTURED:
        return Event(event_id, EventKind.ORDER_CAPTURED, report, None)
    return _touched(event_id, report.reference)


def _read_declined(event_id: str, session: Fields) -> Event:
    """The session itself does not say what became of its payment."""
    if not reference_of(session):
        return Event(event_id, EventKind.OTHER, None, None)
    report = replace(read_session(session), state=OrderState.DECLINED, last_try=LastTry.DECLINED)
    return Event(event_id, EventKind.ORDER_DECLINED, report, None)


def _touched(event_id: str, reference: str) -> Event:
    if not reference:
        return Event(event_id, EventKind.OTHER, None, None)
    return Event(event_id, EventKind.ORDER_TOUCHED, None, None, reference)


def _read_refund(event_id: str, refund: Fields) -> Event:
    """One that somebody made in Stripe's dashboard carries no reference of ours; `charge.refunded` tells of it."""
    if not reference_of(refund):
        return Event(event_id, EventKind.OTHER, None, None)
    report = read_refund(refund)
    kind = _REFUND_KINDS.get(report.state)
    if kind is None:
        return Event(event_id, EventKind.OTHER, None, None)
    return Event(event_id, kind, None, report)
