"""The calls that we make of Razorpay's API, and what an answer must be to be believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

from backend.core.errors import Permanent, Transient, Unreadable
from backend.core.outgoing.asking import Answer, Call
from backend.core.outgoing.fields import Fields, Malformed
from backend.payments.razorpay.wire import Link, Payment, read_link, read_payment

NAME = "razorpay"
PAGE = 100  # the most that it lists at once

_T = TypeVar("_T")


class Refusal(Permanent):
    """A 4xx in its own words."""

    def __init__(self, answer: Answer) -> None:
        said = answer.fields.data.get("error")
        words = said.get("description") if isinstance(said, dict) else None
        self.status = answer.status
        self.words = str(words or "")[:200]
        super().__init__(f"{NAME}: HTTP {answer.status} {self.words}".strip(), surely_not_sent=True)


@dataclass(frozen=True)
class Api:
    """One call's asks. Each raises `Transient`, and `Refusal` for what Razorpay says no to."""

    call: Call

    def links_of(self, reference: str) -> list[Link]:
        """Those with our reference: one, or none."""
        found = self._get("payment_links", query={"reference_id": reference}, reader=_links)
        return [link for link in found if link.reference == reference]

    def link(self, link_id: str) -> Link:
        return self._get("payment_links", link_id, reader=read_link)

    def create_link(self, body: Mapping[str, Any]) -> Link:
        return self._post("payment_links", body=body, reader=read_link)

    def cancel_link(self, link_id: str) -> Link:
        return self._post("payment_links", link_id, "cancel", reader=read_link)

    def payments_of(self, link: Link) -> list[Payment]:
        """Every try by the link's page. The link itself lists captured ones alone."""
        if not link.order_id:
            return []
        return self._get("orders", link.order_id, "payments", reader=_each(read_payment))

    def capture(self, payment: Payment) -> Payment:
        body = {"amount": payment.amount_paise, "currency": payment.currency}
        return self._post("payments", payment.id, "capture", body=body, reader=read_payment)

    def receipt_of(self, order_id: str) -> str:
        """The receipt of an order of a link is the link's reference."""
        return self._get("orders", order_id, reader=lambda fields: fields.text_or_empty("receipt"))

    def refund(self, capture_id: str, body: Mapping[str, Any], *, key: str) -> Fields:
        headers = {"X-Refund-Idempotency": key.encode()}
        return self._post("payments", capture_id, "refund", body=body, headers=headers, reader=lambda fields: fields)

    def page(self, *path: str, query: Mapping[str, str | int]) -> list[Fields]:
        return self._get(*path, query=query, reader=_each(lambda fields: fields))

    def _get(self, *path: str, reader: Callable[[Fields], _T], query: Mapping[str, str | int] | None = None) -> _T:
        return _read(self.call.ask("GET", "v1", *path, query=query), reader)

    def _post(
        self,
        *path: str,
        reader: Callable[[Fields], _T],
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, bytes] | None = None,
    ) -> _T:
        return _read(self.call.ask("POST", "v1", *path, body=body or {}, headers=headers), reader)


def pages(begin: Callable[[], Call], *path: str, size: int = 0, **query: str | int) -> Iterator[Fields]:
    """A whole listing, item by item, PAGE at a time unless `size` says otherwise; each page asks for a call."""
    skip, size = 0, size or PAGE
    while True:
        found = Api(begin()).page(*path, query={**query, "count": size, "skip": skip})
        yield from found
        if len(found) < size:
            return
        skip += size


def _read(answer: Answer, reader: Callable[[Fields], _T]) -> _T:
    if not answer.is_ok:
        if not isinstance(answer.fields.data.get("error"), dict) or answer.status == HTTPStatus.REQUEST_TIMEOUT:
            raise Transient(f"{NAME}: HTTP {answer.status}, not in its own words")
        raise _no(Refusal(answer))
    try:
        return reader(answer.fields)
    except Malformed as error:
        raise Unreadable(f"{NAME}: unreadable answer, {error}") from error


def _no(refusal: Refusal) -> Exception:
    """Another ask about the same that is under way is no refusal; another body under a key that was used is one."""
    if refusal.status == HTTPStatus.CONFLICT and "ifferent" not in refusal.words:
        return Transient(str(refusal))
    return refusal


def _each(reader: Callable[[Fields], _T], name: str = "items") -> Callable[[Fields], list[_T]]:
    return lambda fields: [reader(item) for item in fields.items(name)]


_links = _each(read_link, "payment_links")
