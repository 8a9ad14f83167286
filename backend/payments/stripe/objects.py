"""Reads Stripe's objects as reports: sessions, payment intents, refunds and balance transactions.

A session's payment intent is an id, unless it was asked for in full; the same holds for the intent's charge and the
charge's balance transaction. Each reader raises `Malformed`.
"""

from __future__ import annotations

from datetime import datetime

from backend.core.outgoing.fields import Fields, Malformed
from backend.payments.gateway import (
    URL_LONGEST,
    WORD_LONGEST,
    Capture,
    LastTry,
    OrderReport,
    OrderState,
    RefundOrderState,
    RefundReport,
    SettledItem,
)

# where our reference stands in the metadata: others who use the account have names of their own for theirs
REFERENCE = "booking_service_reference"

_REFUND_STATES = {
    "pending": RefundOrderState.PENDING,
    "requires_action": RefundOrderState.PENDING,
    "succeeded": RefundOrderState.DONE,
    "failed": RefundOrderState.REFUSED,
    "canceled": RefundOrderState.REFUSED,
}
_KINDS = {"charge": "payment", "payment": "payment", "refund": "refund", "payment_refund": "refund"}


def reference_of(thing: Fields) -> str:
    """Our reference; "" where an object is not of our making."""
    metadata = _expanded(thing, "metadata")
    return "" if metadata is None else metadata.text_or_empty(REFERENCE)


def id_of(thing: Fields, name: str) -> str:
    """The id of what `name` holds, in full or not; "" for nothing."""
    expanded = _expanded(thing, name)
    return thing.text_or_empty(name) if expanded is None else expanded.id("id")


def read_session(session: Fields) -> OrderReport:
    """A Checkout Session in mode `payment`."""
    intent = _expanded(session, "payment_intent")
    state = _state(session, intent)
    is_captured = state is OrderState.CAPTURED
    return OrderReport(
        reference=reference_of(session),
        gateway_order_id=session.id("id"),
        state=state,
        amount_paise=intent.paise("amount_received") if intent and is_captured else session.paise("amount_total"),
        currency=_currency(session),
        capture_id=_captured_by(session) if is_captured else "",
        pay_url=session.text_or_empty("url", longest=URL_LONGEST),
        expires_at=session.unix("expires_at"),
        last_try=_last_try(session, state, intent),
        capture=_capture(intent) if intent and is_captured else Capture(),
    )


def _captured_by(session: Fields) -> str:
    """Money that is named by nothing could be taken for any other."""
    found = id_of(session, "payment_intent")
    if not found:
        raise Malformed("payment_intent: empty")
    return found


def _state(session: Fields, intent: Fields | None) -> OrderState:
    """A session that is complete takes no other try; the bank may speak minutes later, as with UPI."""
    status = "" if intent is None else intent.text("status")
    if status == "requires_capture":
        return OrderState.AUTHORISED
    if status == "succeeded" or session.text("payment_status") == "paid":
        return OrderState.CAPTURED
    match session.text("status"):
        case "expired":
            return OrderState.CLOSED
        case "complete" if status in ("requires_payment_method", "canceled"):
            return OrderState.DECLINED
        case "open" | "complete":
            return OrderState.OPEN
    raise Malformed("status: not one that we know")


def _last_try(session: Fields, state: OrderState, intent: Fields | None) -> LastTry:
    """A card's second factor that was begun and left (`requires_action`) is no try: the page takes another one."""
    if state in (OrderState.CAPTURED, OrderState.AUTHORISED):
        return LastTry.NONE
    is_under_way = intent is not None and intent.text("status") == "processing"
    if state is OrderState.OPEN and (session.text("status") == "complete" or is_under_way):
        return LastTry.PENDING
    is_declined = state is OrderState.DECLINED or (intent is not None and intent.data.get("last_payment_error"))
    return LastTry.DECLINED if is_declined else LastTry.NONE


def _capture(intent: Fields) -> Capture:
    """Stripe books a capture up to an hour later; until then nobody knows its fee."""
    charge = _expanded(intent, "latest_charge")
    if charge is None:
        return Capture()
    booked = _expanded(charge, "balance_transaction")
    means = _expanded(charge, "payment_method_details")
    is_in_kind = booked is not None and _currency(booked) == _currency(intent)  # an account may keep other money
    return Capture(
        method="" if means is None else means.text("type", longest=WORD_LONGEST),
        fee_paise=booked.whole("fee") if booked and is_in_kind else None,
        tax_paise=_tax(booked) if booked and is_in_kind else None,
        captured_at=(booked or charge).unix("created"),
    )


def read_refund(refund: Fields) -> RefundReport:
    """A refund, ours or one that was made in Stripe's dashboard."""
    try:
        state = _REFUND_STATES[refund.text("status")]
    except KeyError as error:
        raise Malformed("status: not one that we know") from error
    return RefundReport(
        reference=reference_of(refund),
        gateway_refund_id=refund.id("id"),
        state=state,
        amount_paise=refund.paise("amount"),
        why=refund.text_or_empty("failure_reason"),
    )


def read_settled(item: Fields, payout: Fields, settled_at: datetime) -> SettledItem:
    """A balance transaction of a payout, with its `source` in full. A charge goes by its payment intent, as captures
    do."""
    source = _expanded(item, "source")
    kind = item.text("type")
    trace = _expanded(payout, "trace_id")
    return SettledItem(
        kind=_KINDS.get(kind, kind),
        gateway_id=(source and (id_of(source, "payment_intent") if _is_charge(source) else source.id("id")))
        or item.id("id"),
        reference="" if source is None else reference_of(source),
        amount_paise=item.whole("amount"),
        fee_paise=item.whole("fee"),
        tax_paise=_tax(item),
        currency=_currency(item),
        settlement_id=payout.id("id"),
        bank_reference="" if trace is None else trace.text_or_empty("value"),
        settled_at=settled_at,
    )


def _is_charge(source: Fields) -> bool:
    return source.data.get("object") == "charge"


def _tax(booked: Fields) -> int:
    return sum(part.whole("amount") for part in booked.items("fee_details") if part.text("type") == "tax")


def _currency(thing: Fields) -> str:
    """Stripe writes it small."""
    return Fields({"currency": thing.text("currency").upper()}).currency()


def _expanded(thing: Fields, name: str) -> Fields | None:
    """The object that `name` holds; None where it holds an id or nothing."""
    value = thing.data.get(name)
    return Fields(value) if isinstance(value, dict) else None
