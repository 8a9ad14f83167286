"""What the gateway itself knows when the storm is over, read from its own store."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos import door
from tests.chaos.gateways import has_pages
from tests.chaos.stack import Stack

NOTE = "booking_service_reference"  # what we may attach to an order is our reference, under this name


@dataclass(frozen=True)
class Capture:
    """By its own id there; `reference` is ours."""

    id: str
    reference: str
    paise: int


@dataclass(frozen=True)
class GivenBack:
    """`reference` is ours; the money has left, or is about to."""

    reference: str
    capture: str
    paise: int


@dataclass(frozen=True)
class Books:
    """`untaken` and `taken` are ids of events; `doubles` tells of each page that was made beside an open one of
    its booking; `took` are seconds until an event was taken; `sent` is all that we asked of it, as text."""

    captures: Sequence[Capture]
    refunds: Sequence[GivenBack]
    untaken: Sequence[str]
    taken: Sequence[str]
    doubles: Sequence[str] = ()
    took: Sequence[float] = ()
    sent: Sequence[str] = field(default=(), repr=False)


def of(stack: Stack) -> Books:
    if not has_pages(stack.gateway):
        return _of_sandbox(stack)
    told: dict[str, Any] = door.ask(stack.gateway_url, "books")
    captures, refunds = (_READERS[stack.gateway][kind](told) for kind in ("captures", "refunds"))
    sent: Any = door.ask(stack.gateway_url, "journal")["sent"]
    untaken = [f"{told['undelivered']} events"] * bool(told["undelivered"])
    return Books(captures, refunds, untaken, told["taken"], told["doubles"], told["took"], sent)


def untaken(stack: Stack) -> list[str]:
    """Events that we have not taken yet: the gateway goes on sending them, and what they tell is not known before."""
    if has_pages(stack.gateway):
        count = door.ask(stack.gateway_url, "books")["undelivered"]
        return [f"{count} events"] * bool(count)
    return list(_of_sandbox(stack).untaken)


def _of_sandbox(stack: Stack) -> Books:
    with sqlite3.connect(f"file:{stack.folder / 'sandbox.sqlite3'}?mode=ro", uri=True) as store:
        orders = store.execute("SELECT capture_id, reference, amount_paise FROM orders WHERE state = 'captured'")
        captures = [Capture(*row) for row in orders]
        by = {capture.reference: capture.id for capture in captures}
        made = store.execute("SELECT reference, payment_reference, amount_paise FROM refunds WHERE state = 'done'")
        refunds = [GivenBack(reference, by[paid_by], paise) for reference, paid_by, paise in made]
        events = store.execute("SELECT event_id, next_at IS NULL FROM webhooks").fetchall()
    untaken, taken = ([event for event, is_taken in events if is_taken == wanted] for wanted in (0, 1))
    return Books(captures, refunds, untaken, taken)


def _razorpays_captures(told: dict[str, Any]) -> list[Capture]:
    captured = [payment for payment in told["payments"] if payment["captured"]]
    return [Capture(payment["id"], payment["notes"][NOTE], payment["amount"]) for payment in captured]


def _razorpays_refunds(told: dict[str, Any]) -> list[GivenBack]:
    made = [refund for refund in told["refunds"] if refund["status"] != "failed"]
    return [GivenBack(refund["receipt"], refund["payment_id"], refund["amount"]) for refund in made]


def _stripes_captures(told: dict[str, Any]) -> list[Capture]:
    paid = [intent for intent in told["payments"] if intent["status"] == "succeeded"]
    return [Capture(intent["id"], intent["metadata"][NOTE], intent["amount_received"]) for intent in paid]


def _stripes_refunds(told: dict[str, Any]) -> list[GivenBack]:
    made = [refund for refund in told["refunds"] if refund["status"] != "failed"]
    return [GivenBack(refund["metadata"][NOTE], refund["payment_intent"], refund["amount"]) for refund in made]


_READERS: dict[str, dict[str, Any]] = {
    "razorpay": {"captures": _razorpays_captures, "refunds": _razorpays_refunds},
    "stripe": {"captures": _stripes_captures, "refunds": _stripes_refunds},
}
