"""What travels between the sandbox gateway and its adapter: JSON shapes, header names and the webhook's signature."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, is_dataclass
from dataclasses import fields as dataclass_fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from backend.payments.fields import Fields, Malformed, Unfit, member
from backend.payments.gateway import (
    Capture,
    Event,
    EventKind,
    OrderReport,
    OrderState,
    RefundOrderState,
    RefundReport,
    SettledItem,
)
from backend.payments.stamped import sign as sign  # webhooks are signed in Stripe's scheme

KEY_HEADER = "X-Sandbox-Key"
SIGNATURE_HEADER = "X-Sandbox-Signature"
HOOK_PATH = "/api/hooks/payments/sandbox/"


class Behaviour(StrEnum):
    """What the sandbox does with what is asked of one order and of its refunds."""

    CAPTURE = "capture"  # captures when asked to complete; refunds at once
    DECLINE = "decline"  # declines when asked to complete; refuses refunds
    SLOW = "slow"  # does it at once, but answers complete and refund only after `seconds`
    UNREACHABLE = "unreachable"  # hangs up on everything for `seconds` from now, then behaves as CAPTURE
    LATE = "late"  # answers OPEN or PENDING, and does it by itself `seconds` after the first ask


DEFAULT_SECONDS = {
    Behaviour.CAPTURE: 0,
    Behaviour.DECLINE: 0,
    Behaviour.SLOW: 8,  # more than the 5 s for which we wait
    Behaviour.UNREACHABLE: 60,
    Behaviour.LATE: 5,
}


@dataclass(frozen=True)
class Instruction:
    """A behaviour and its span in seconds."""

    behaviour: Behaviour
    seconds: float


def read_order_report(fields: Fields) -> OrderReport:
    """Raises `Malformed`."""
    state = member(OrderState, fields.text("state"))
    return OrderReport(
        reference=fields.id("reference"),
        gateway_order_id=fields.id("gateway_order_id"),
        state=state,
        amount_paise=fields.paise("amount_paise"),
        currency=fields.currency(),
        capture_id=fields.id("capture_id") if state == OrderState.CAPTURED else fields.text("capture_id"),
        capture=_read_capture(fields),
    )


def _read_capture(fields: Fields) -> Capture:
    """Missing in reports that are older than this field."""
    given = fields.data.get("capture")
    if not isinstance(given, dict) or given.get("captured_at") is None:
        return Capture()
    return Capture(captured_at=Fields(given).moment("captured_at"))


def read_refund_report(fields: Fields) -> RefundReport:
    """Raises `Malformed`."""
    return RefundReport(
        reference=fields.id("reference"),
        gateway_refund_id=fields.id("gateway_refund_id"),
        state=member(RefundOrderState, fields.text("state")),
        amount_paise=fields.paise("amount_paise"),
    )


def read_event(fields: Fields) -> Event:
    """Raises `Malformed`. What does not fit our columns is UNREADABLE, for to refuse it would make it come for ever."""
    try:
        return _read_event(fields)
    except Unfit:
        return Event(_bounded_id(fields), EventKind.UNREADABLE, None, None)


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


def read_instant(text: str) -> float:
    """Unix seconds as they stand in an address. Raises `Malformed`."""
    try:
        seconds = float(text)
    except ValueError as error:
        raise Malformed("not Unix seconds") from error
    if not 0 <= seconds < 2**40:
        raise Malformed("not Unix seconds")
    return seconds


def write(value: object) -> Any:
    """A report, an event, or a list of them, as JSON takes it: instants are ISO 8601."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return {"items": [write(item) for item in value]}
    if is_dataclass(value):
        return {part.name: write(getattr(value, part.name)) for part in dataclass_fields(value)}
    return value


def _read_event(fields: Fields) -> Event:
    """A kind that we do not know is OTHER: gateways add kinds without asking."""
    event_id = fields.id("event_id")
    kind = fields.text("kind")
    if kind in (EventKind.ORDER_CAPTURED, EventKind.ORDER_DECLINED):
        return Event(event_id, EventKind(kind), read_order_report(fields.part("report")), None)
    if kind in (EventKind.REFUND_DONE, EventKind.REFUND_REFUSED):
        return Event(event_id, EventKind(kind), None, read_refund_report(fields.part("refund")))
    return Event(event_id, EventKind.OTHER, None, None)


def read_instruction(fields: Fields) -> Instruction:
    """Raises `Malformed`. `seconds` may be missing: each behaviour has its own default."""
    behaviour = member(Behaviour, fields.text("behaviour"))
    seconds = fields.data.get("seconds", DEFAULT_SECONDS[behaviour])
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not 0 <= seconds <= 86_400:
        raise Malformed("seconds: not a number from 0 to 86400")
    return Instruction(behaviour, float(seconds))
