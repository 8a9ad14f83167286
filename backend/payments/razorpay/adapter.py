"""The `Gateway` of Razorpay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from backend.core.errors import Code, Refused
from backend.core.outgoing.asking import Call, Line
from backend.payments.gateway import (
    CapturePage,
    Event,
    Order,
    OrderReport,
    RefundOrder,
    RefundReport,
    SettledItem,
    Unread,
)
from backend.payments.razorpay import events, listings, orders, refunds, signatures
from backend.payments.razorpay.api import NAME, Api

_EVENT_ID_HEADER = "x-razorpay-event-id"


@dataclass(frozen=True)
class Account:
    """Where Razorpay is asked, and with which keys. `webhook_secrets` are current and previous; "" stands for none."""

    url: str
    key_id: str
    key_secret: str
    webhook_secrets: Sequence[str]
    account_id: str = ""  # "": events of every account are believed, as a webhook's secret belongs to one


class RazorpayGateway:
    """See `Gateway` for what each method promises."""

    name = NAME
    has_pages = True

    def __init__(self, account: Account) -> None:
        self._account = account
        self._line = Line(NAME, account.url, auth=(account.key_id, account.key_secret))

    def ensure_order(self, order: Order) -> OrderReport:
        return orders.ensure(self._api(), order)

    def fetch_order(self, reference: str, gateway_order_id: str = "", /) -> OrderReport | None:
        return orders.fetch(self._api(), reference, gateway_order_id)

    def complete_order(self, reference: str, gateway_order_id: str = "", /) -> OrderReport:
        return orders.complete(self._api(), reference, gateway_order_id)

    def close_order(self, reference: str, gateway_order_id: str = "", /) -> OrderReport | None:
        return orders.close(self._api(), reference, gateway_order_id)

    def ensure_refund(self, refund: RefundOrder) -> RefundReport:
        return refunds.ensure(self._begin, refund)

    def fetch_refunds(self, reference: str, gateway_order_id: str = "", /) -> Sequence[RefundReport]:
        return refunds.fetch(self._begin, reference, gateway_order_id)

    def captures_page(self, instant: datetime, mark: str = "", /) -> CapturePage:
        return listings.captures_page(self._api(), instant, mark)

    def settled_items(self, day: date) -> Iterable[SettledItem | Unread]:
        return listings.settled_items(self._begin, day)

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> Event:
        given = {name.lower(): value for name, value in headers.items()}
        if not signatures.is_signed(body, given.get(signatures.HEADER, ""), self._account.webhook_secrets):
            raise Refused(Code.SIGNATURE_INVALID)
        return events.read_event(body, given.get(_EVENT_ID_HEADER, ""), account_id=self._account.account_id)

    def _begin(self) -> Call:
        return self._line.call()

    def _api(self) -> Api:
        return Api(self._begin())
