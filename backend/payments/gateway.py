"""What every payment gateway adapter speaks: plain values in integer paise, and three ways to say no."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from backend.core.outgoing.fields import ID_LONGEST

URL_LONGEST = 2000  # of a hosted page's address: those of Stripe have 541 characters already
MARK_LONGEST = ID_LONGEST  # what our column holds of the place in a listing at which we stopped
WHY_LONGEST = 200  # what our column holds of a reason
WORD_LONGEST = 40  # of a means of payment: "upi", "card", "netbanking"


class OrderState(StrEnum):
    """What the gateway says of an order. Only CAPTURED is final: money may come after any other."""

    OPEN = "open"  # waits for the visitor's payment
    DECLINED = "declined"  # the bank said no, and the order takes no other try
    AUTHORISED = "authorised"  # the bank holds the sum for us; it is ours once we capture it
    CAPTURED = "captured"  # the money is ours
    CLOSED = "closed"  # expired or closed: its page takes no money any more


class LastTry(StrEnum):
    """What became of the visitor's last try to pay an order that is not captured."""

    NONE = ""  # there was none, or the gateway does not say
    PENDING = "pending"  # the bank has not spoken: nobody may be told to pay again
    DECLINED = "declined"  # no money was taken, as far as the bank says now; it may change its mind for days


class RefundOrderState(StrEnum):
    """What the gateway says of a refund."""

    PENDING = "pending"  # accepted, on its way; ask again or wait for the event
    DONE = "done"  # final
    REFUSED = "refused"  # final for this reference: nothing was captured, or less than is asked back


class EventKind(StrEnum):
    """The facts that a webhook reports."""

    ORDER_CAPTURED = "order_captured"
    ORDER_DECLINED = "order_declined"
    ORDER_TOUCHED = "order_touched"  # something happened to `reference`: the payments worker asks what it is
    REFUND_DONE = "refund_done"
    REFUND_REFUSED = "refund_refused"
    OTHER = "other"  # genuine, but nothing that we act on
    UNREADABLE = "unreadable"  # genuine, but a text in it fits none of our columns, or `why` says what else


@dataclass(frozen=True)
class Order:
    """What we ask to be paid. `reference` is our payment reference and the gateway's idempotency key.

    A gateway with hosted pages reads the rest: `description` is all that its page says of us, `return_url` is where its
    page leads back to, and from `expires_at` on it takes no money (or a little later, where it asks for a longer life).
    """

    reference: str
    amount_paise: int
    currency: str
    description: str = ""
    return_url: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Capture:
    """How the money of a captured order came. Fee and tax are what the gateway keeps of it; None: not known yet."""

    method: str = ""  # the gateway's word for the means: "upi", "card"; at most WORD_LONGEST
    fee_paise: int | None = None  # with its tax
    tax_paise: int | None = None
    captured_at: datetime | None = None


@dataclass(frozen=True)
class OrderReport:
    """What the gateway says of an order; `capture_id` is "" until it is captured. All ids fit ID_LONGEST.

    `amount_paise` is the order's sum, or what was captured; `pay_url` the hosted page, at most URL_LONGEST, "" where
    there is none.
    """

    reference: str
    gateway_order_id: str
    state: OrderState
    amount_paise: int
    currency: str
    capture_id: str
    pay_url: str = ""
    expires_at: datetime | None = None
    last_try: LastTry = LastTry.NONE
    capture: Capture = Capture()


@dataclass(frozen=True)
class CapturePage:
    """A part of the list of captures. `next_mark`, at most MARK_LONGEST, leads to the part that follows; "": it was the
    last. `unreadable` names each item that could not be read, and why, in the same words at every look."""

    reports: Sequence[OrderReport]
    next_mark: str = ""
    unreadable: Sequence[str] = ()


@dataclass(frozen=True)
class Unread:
    """An item of a list that could not be read: which, and why."""

    what: str


@dataclass(frozen=True)
class RefundOrder:
    """What we ask to be given back. `reference` is our refund reference and the gateway's idempotency key.

    `capture_id` is the capture that it is taken from, as the gateway named it.
    """

    reference: str
    payment_reference: str
    amount_paise: int
    currency: str
    capture_id: str = ""


@dataclass(frozen=True)
class RefundReport:
    """What the gateway says of a refund. `reference` is "" if it was not asked for by us.

    `why` is the gateway's word for a refusal, at most WHY_LONGEST, "" where it gives none.
    """

    reference: str
    gateway_refund_id: str
    state: RefundOrderState
    amount_paise: int
    why: str = ""


@dataclass(frozen=True)
class SettledItem:
    """One line of what the gateway paid out on a day, for the statement.

    `amount_paise` is what moved before fees: positive for a capture, negative for a refund; `fee_paise` (with its tax,
    `tax_paise`) was kept of it. `gateway_id` is the capture's or the refund's id, `reference` ours where the gateway
    knows it, `settlement_id` the payout's id, `bank_reference` the bank's (UTR). Instants are aware.
    """

    kind: str  # "payment", "refund", or the gateway's word for anything else
    gateway_id: str
    reference: str
    amount_paise: int
    fee_paise: int
    tax_paise: int
    currency: str
    settlement_id: str
    bank_reference: str
    settled_at: datetime


@dataclass(frozen=True)
class Event:
    """One reported fact. `event_id` is the same at every delivery, and bounded as every id; `report` or `refund` is set
    as `kind` says, `reference` of ORDER_TOUCHED is our payment reference. `why` says what is wrong with one that is
    UNREADABLE, "": a text in it is too long, or not printable."""

    event_id: str
    kind: EventKind
    report: OrderReport | None
    refund: RefundReport | None
    reference: str = ""
    why: str = ""


class Gateway(Protocol):
    """One gateway. Every method but `read_event` asks over the network, within 5 s, so never inside a transaction.

    They raise `Transient` (unreachable, timed out, 5xx, 429), of it `Unreadable` for an answer that cannot be read or
    is about something else, and `Permanent` (any other refusal). After `Transient` the outcome is unknown: ask again,
    which is safe, for every method is idempotent.
    Listings ask page by page, within 5 s each.

    `gateway_order_id` is what an earlier report called the order: with it one question is enough, where some gateways
    must be searched for our reference, and those not far back. "" where no report was kept.
    """

    name: str
    has_pages: bool  # whether orders have a `pay_url`; without, the site's own page pays, and nothing has to be closed

    def ensure_order(self, order: Order) -> OrderReport:
        """Create the order, or return the one that exists; never a second. `Permanent` if it exists otherwise."""

    def fetch_order(self, reference: str, gateway_order_id: str = "", /) -> OrderReport | None:
        """Look, change nothing. None if the gateway knows no such order."""

    def complete_order(self, reference: str, gateway_order_id: str = "", /) -> OrderReport:
        """Ask after the visitor's payment, as `complete-payment` does; the sandbox captures here, and what is
        authorised is captured. `Permanent` if the gateway knows no such order."""

    def close_order(self, reference: str, gateway_order_id: str = "", /) -> OrderReport | None:
        """Take no more money by the order's page. The report is CLOSED or CAPTURED; any other state says that it could
        not be closed yet. None if the gateway knows no such order."""

    def ensure_refund(self, refund: RefundOrder) -> RefundReport:
        """Create the refund, or return the one that exists; never a second. `Permanent` if it exists otherwise."""

    def fetch_refunds(self, reference: str, gateway_order_id: str = "", /) -> Sequence[RefundReport]:
        """All that was given back of an order, whoever asked for it; empty if the gateway knows no such order."""

    def captures_page(self, instant: datetime, mark: str = "", /) -> CapturePage:
        """A part of the list of captures from `instant` on, in any order, perhaps with earlier ones; `mark` is where
        the part before it ended. `reference` is "" where a capture is none of ours; a second capture of one order is
        an item of its own. One that slips from one part to the next meanwhile is told twice, and none is left out:
        what cannot be read is named."""

    def settled_items(self, day: date) -> Iterable[SettledItem | Unread]:
        """What the gateway paid out on a day of the practice's zone, item by item; what cannot be read is named."""

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> Event:
        """Verify the signature over the raw body, then read it; what cannot be read is UNREADABLE. Refuses:
        signature_invalid."""


def capture_pages(gateway: Gateway, instant: datetime) -> Iterator[CapturePage]:
    """The whole list of captures, part by part. Raises as `Gateway.captures_page`."""
    page = gateway.captures_page(instant)
    yield page
    while page.next_mark:
        page = gateway.captures_page(instant, page.next_mark)
        yield page


def captures_since(gateway: Gateway, instant: datetime) -> Iterator[OrderReport]:
    """Every capture from `instant` on that can be read, each once. Raises as `Gateway.captures_page`."""
    seen = set[str]()
    for page in capture_pages(gateway, instant):
        for report in page.reports:
            if report.capture_id not in seen:
                seen.add(report.capture_id)
                yield report
