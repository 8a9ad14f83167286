"""Speaks to the sandbox gateway over HTTP, and reads its webhooks."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from datetime import time as clock
from http import HTTPStatus
from typing import TypeVar

from django.utils import timezone

from backend.core.errors import Code, Permanent, Refused, Unreadable
from backend.core.outgoing.asking import Answer, Line
from backend.core.outgoing.fields import Fields, Malformed, read_each
from backend.payments.gateway import (
    CapturePage,
    Event,
    EventKind,
    Order,
    OrderReport,
    RefundOrder,
    RefundReport,
    SettledItem,
)
from backend.payments.sandbox.wire import KEY_HEADER, SIGNATURE_HEADER
from backend.payments.stamped import is_signed
from backend.payments.written import read_event, read_order_report, read_refund_report, read_settled_item

PAGE = 100  # captures of a part

_Report = TypeVar("_Report", OrderReport, RefundReport)
_Item = TypeVar("_Item", OrderReport, RefundReport, SettledItem)


class SandboxGateway:
    """The `Gateway` of the sandbox at `url`. `secret` is its key for asking and for signing.

    It knows orders by our reference alone.
    """

    name = "sandbox"
    has_pages = False

    def __init__(self, url: str, secret: str) -> None:
        self._line = Line(self.name, url, headers={KEY_HEADER: secret.encode()})
        self._secret = secret

    def ensure_order(self, order: Order) -> OrderReport:
        """See `Gateway`."""
        answer = self._ask(
            "PUT", "orders", order.reference, body={"amount_paise": order.amount_paise, "currency": order.currency}
        )
        return _read(answer, read_order_report, about=order.reference)

    def fetch_order(self, reference: str, _gateway_order_id: str = "", /) -> OrderReport | None:
        """See `Gateway`."""
        answer = self._ask("GET", "orders", reference)
        return None if answer.status == HTTPStatus.NOT_FOUND else _read(answer, read_order_report, about=reference)

    def complete_order(self, reference: str, _gateway_order_id: str = "", /) -> OrderReport:
        """See `Gateway`."""
        return _read(self._ask("POST", "orders", reference, "complete"), read_order_report, about=reference)

    def close_order(self, reference: str, _gateway_order_id: str = "", /) -> OrderReport | None:
        """The sandbox has no page of its own, so nothing of it has to be closed."""
        return self.fetch_order(reference)

    def ensure_refund(self, refund: RefundOrder) -> RefundReport:
        """See `Gateway`."""
        answer = self._ask(
            "PUT",
            "refunds",
            refund.reference,
            body={
                "payment_reference": refund.payment_reference,
                "amount_paise": refund.amount_paise,
                "currency": refund.currency,
            },
        )
        return _read(answer, read_refund_report, about=refund.reference)

    def fetch_refunds(self, reference: str, _gateway_order_id: str = "", /) -> list[RefundReport]:
        """See `Gateway`."""
        return _read_items(self._ask("GET", "orders", reference, "refunds"), read_refund_report)

    def captures_page(self, instant: datetime, mark: str = "", /) -> CapturePage:
        """See `Gateway`. The sandbox lists all at once, oldest first; a part is cut out here."""
        first = int(mark or 0)
        listed = _items(self._ask("GET", "captures", str(instant.timestamp())))
        end = first + PAGE
        reports, unreadable = read_each(listed[first:end], read_order_report)
        return CapturePage(reports, str(end) if end < len(listed) else "", unreadable)

    def settled_items(self, day: date) -> list[SettledItem]:
        """See `Gateway`."""
        zone = timezone.get_default_timezone()
        first, last = (datetime.combine(each, clock.min, zone).timestamp() for each in (day, day + timedelta(days=1)))
        return _read_items(self._ask("GET", "settlements", str(first), str(last)), read_settled_item)

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> Event:
        """See `Gateway`."""
        signature = next((value for name, value in headers.items() if name.lower() == SIGNATURE_HEADER.lower()), "")
        if not is_signed(body, signature, [self._secret], time.time()):
            raise Refused(Code.SIGNATURE_INVALID)
        try:
            return read_event(Fields.parse(body))
        except Malformed as error:
            event_id = f"sha256:{hashlib.sha256(body).hexdigest()}"
            return Event(event_id, EventKind.UNREADABLE, None, None, why=str(error))

    def _ask(self, method: str, *path: str, body: Mapping[str, str | int] | None = None) -> Answer:
        return self._line.call().ask(method, *path, body=body)


def _read(answer: Answer, reader: Callable[[Fields], _Report], *, about: str) -> _Report:
    """The report in an answer about the reference `about`.

    Raises `Permanent` for a refusal, `Unreadable` for what no gateway would say.
    """
    if not answer.is_ok:
        raise Permanent(f"sandbox: HTTP {answer.status}", surely_not_sent=True)
    try:
        report = reader(answer.fields)
    except Malformed as error:
        raise Unreadable(f"sandbox: unreadable answer, {error}") from error
    if report.reference != about:
        raise Unreadable("sandbox: an answer about another reference")
    return report


def _read_items(answer: Answer, reader: Callable[[Fields], _Item]) -> list[_Item]:
    """The listing in an answer; raises as `_read`."""
    try:
        return [reader(item) for item in _items(answer)]
    except Malformed as error:
        raise Unreadable(f"sandbox: unreadable answer, {error}") from error


def _items(answer: Answer) -> list[Fields]:
    if not answer.is_ok:
        raise Permanent(f"sandbox: HTTP {answer.status}", surely_not_sent=True)
    try:
        return answer.fields.items()
    except Malformed as error:
        raise Unreadable(f"sandbox: unreadable answer, {error}") from error
