"""What every payment gateway adapter speaks: plain values in integer paise, and three ways to say no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

ID_LONGEST = 80  # what our columns hold of a gateway's ids; those in use have 20 to 40 characters


class OrderState(StrEnum):
    """What the gateway says of an order."""

    OPEN = "open"  # waits for the visitor's payment
    DECLINED = "declined"  # the bank said no; money may still come by another try
    CAPTURED = "captured"  # the money is ours; final


class RefundOrderState(StrEnum):
    """What the gateway says of a refund."""

    PENDING = "pending"  # accepted, on its way; ask again or wait for the event
    DONE = "done"  # final
    REFUSED = "refused"  # final for this reference: nothing was captured, or less than is asked back


class EventKind(StrEnum):
    """The facts that a webhook reports."""

    ORDER_CAPTURED = "order_captured"
    ORDER_DECLINED = "order_declined"
    REFUND_DONE = "refund_done"
    REFUND_REFUSED = "refund_refused"
    OTHER = "other"  # genuine, but nothing that we act on
    UNREADABLE = "unreadable"  # genuine, but a text in it fits none of our columns


@dataclass(frozen=True)
class Order:
    """What we ask to be paid. `reference` is our payment reference and the gateway's idempotency key."""

    reference: str
    amount_paise: int
    currency: str


@dataclass(frozen=True)
class OrderReport:
    """What the gateway says of an order; `capture_id` is "" until it is captured. All ids fit ID_LONGEST."""

    reference: str
    gateway_order_id: str
    state: OrderState
    amount_paise: int
    currency: str
    capture_id: str


@dataclass(frozen=True)
class RefundOrder:
    """What we ask to be given back. `reference` is our refund reference and the gateway's idempotency key."""

    reference: str
    payment_reference: str
    amount_paise: int
    currency: str


@dataclass(frozen=True)
class RefundReport:
    """What the gateway says of a refund."""

    reference: str
    gateway_refund_id: str
    state: RefundOrderState
    amount_paise: int


@dataclass(frozen=True)
class Event:
    """One reported fact. `event_id` is the same at every delivery, and bounded as every id; `report` or `refund` is set
    as `kind` says."""

    event_id: str
    kind: EventKind
    report: OrderReport | None
    refund: RefundReport | None


class Gateway(Protocol):
    """One gateway. Every method but `read_event` asks over the network, within 5 s, so never inside a transaction.

    They raise `Transient` (unreachable, timed out, 5xx, 429, an answer that cannot be read) and `Permanent` (any other
    refusal). After `Transient` the outcome is unknown: ask again, which is safe, for every method is idempotent.
    """

    name: str

    def ensure_order(self, order: Order) -> OrderReport:
        """Create the order, or return the one that exists; never a second. `Permanent` if it exists otherwise."""

    def fetch_order(self, reference: str) -> OrderReport | None:
        """Look, change nothing. None if the gateway knows no such order."""

    def complete_order(self, reference: str) -> OrderReport:
        """Ask after the visitor's payment, as `complete-payment` does; the sandbox captures here."""

    def ensure_refund(self, refund: RefundOrder) -> RefundReport:
        """Create the refund, or return the one that exists; never a second. `Permanent` if it exists otherwise."""

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> Event:
        """Verify the signature over the raw body, then read it. Refuses: signature_invalid, event_malformed."""
