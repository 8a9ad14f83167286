"""Reports and events as JSON: what the sandbox sends, and what the inbox keeps of every gateway."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from datetime import datetime
from typing import Any

from backend.core.outgoing.fields import Fields, Unfit, member
from backend.payments.gateway import (
    URL_LONGEST,
    WHY_LONGEST,
    WORD_LONGEST,
    Capture,
    Event,
    EventKind,
    LastTry,
    OrderReport,
    OrderState,
    RefundOrderState,
    RefundReport,
    SettledItem,
)


def read_order_report(fields: Fields) -> OrderReport:
    """What later releases added may be missing. Raises `Malformed`."""
    state = member(OrderState, fields.text("state"))
    return OrderReport(
        reference=fields.text("reference"),
        gateway_order_id=fields.id("gateway_order_id"),
        state=state,
        amount_paise=fields.paise("amount_paise", least=0),  # a capture of nothing is none, but it is said
        currency=fields.currency(),
        capture_id=fields.id("capture_id") if state == OrderState.CAPTURED else fields.text("capture_id"),
        pay_url=fields.text_or_empty("pay_url", longest=URL_LONGEST),
        expires_at=_moment_or_none(fields, "expires_at"),
        last_try=member(LastTry, fields.text_or_empty("last_try")),
        capture=_read_capture(fields.part("capture")) if fields.data.get("capture") is not None else Capture(),
    )


def _read_capture(fields: Fields) -> Capture:
    return Capture(
        method=fields.text_or_empty("method", longest=WORD_LONGEST),
        fee_paise=fields.whole_or_none("fee_paise"),
        tax_paise=fields.whole_or_none("tax_paise"),
        captured_at=_moment_or_none(fields, "captured_at"),
    )


def _moment_or_none(fields: Fields, name: str) -> datetime | None:
    return None if fields.data.get(name) is None else fields.moment(name)


def read_refund_report(fields: Fields) -> RefundReport:
    """Raises `Malformed`."""
    return RefundReport(
        reference=fields.text("reference"),
        gateway_refund_id=fields.id("gateway_refund_id"),
        state=member(RefundOrderState, fields.text("state")),
        amount_paise=fields.paise("amount_paise"),
        why=fields.text_or_empty("why", longest=WHY_LONGEST),
    )


def read_event(fields: Fields) -> Event:
    """Raises `Malformed`. What does not fit our columns is UNREADABLE, for to refuse it would make it come for ever."""
    try:
        return _read_event(fields)
    except Unfit:
        return Event(_bounded_id(fields), EventKind.UNREADABLE, None, None)


def _read_event(fields: Fields) -> Event:
    """A kind that we do not know is OTHER: gateways add kinds without asking."""
    event_id = fields.id("event_id")
    kind = fields.text("kind")
    if kind in (EventKind.ORDER_CAPTURED, EventKind.ORDER_DECLINED):
        return Event(event_id, EventKind(kind), read_order_report(fields.part("report")), None)
    if kind in (EventKind.REFUND_DONE, EventKind.REFUND_REFUSED):
        return Event(event_id, EventKind(kind), None, read_refund_report(fields.part("refund")))
    if kind == EventKind.ORDER_TOUCHED:
        return Event(event_id, EventKind.ORDER_TOUCHED, None, None, fields.id("reference"))
    if kind == EventKind.UNREADABLE:  # as the inbox keeps it
        return Event(event_id, EventKind.UNREADABLE, None, None, why=fields.text_or_empty("why", longest=300))
    return Event(event_id, EventKind.OTHER, None, None)


def _bounded_id(fields: Fields) -> str:
    """The event's id, or what stands for one that does not fit: the same at every delivery."""
    try:
        return fields.id("event_id")
    except Unfit:
        given = str(fields.data["event_id"]).encode(errors="surrogatepass")
        return f"sha256:{hashlib.sha256(given).hexdigest()}"


def read_settled_item(fields: Fields) -> SettledItem:
    """Raises `Malformed`."""
    return SettledItem(
        kind=fields.id("kind"),
        gateway_id=fields.id("gateway_id"),
        reference=fields.text("reference"),
        amount_paise=fields.whole("amount_paise"),
        fee_paise=fields.whole("fee_paise"),
        tax_paise=fields.whole("tax_paise"),
        currency=fields.currency(),
        settlement_id=fields.id("settlement_id"),
        bank_reference=fields.text("bank_reference"),
        settled_at=fields.moment("settled_at"),
    )


def write(value: object) -> Any:
    """A report, an event, or a list of them, as JSON takes it: instants are ISO 8601."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return {"items": [write(item) for item in value]}
    if is_dataclass(value):
        return {part.name: write(getattr(value, part.name)) for part in dataclass_fields(value)}
    return value
