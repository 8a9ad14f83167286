"""Captures since an instant, for the reconciler, and what was paid out on a day, for the statement."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import TypeVar

from backend.core.errors import Transient, Unreadable
from backend.core.outgoing.asking import Call
from backend.core.outgoing.fields import Fields, Malformed, unreadable_item
from backend.payments.gateway import CapturePage, OrderReport, SettledItem, Unread
from backend.payments.razorpay import orders
from backend.payments.razorpay.api import NAME, PAGE, Api, Refusal, pages
from backend.payments.razorpay.reports import capture_report
from backend.payments.razorpay.wire import Payment, noted, read_payment

# Payments are listed by when they began; a bank may say yes so much later, and the capture may follow then.
CAPTURED_WITHIN = timedelta(days=5)
SETTLED_PAGE = 250  # items of some 800 bytes; Razorpay would list 1,000
_EARLIEST = 946_684_800  # Razorpay refuses instants before 2000
_T = TypeVar("_T")


def captures_page(api: Api, instant: datetime, mark: str) -> CapturePage:
    """See `Gateway.captures_page`. Some that were captured before `instant` are among them.

    A payment that does not name its link costs asks of its own: where the time is up, the part ends before it.
    """
    since, until, skip = _read_mark(mark) if mark else (_earliest(instant), int(time.time()) + 1, 0)
    items = api.page("payments", query={"from": since, "to": until, "count": PAGE, "skip": skip})
    reports: list[OrderReport] = []
    unreadable: list[str] = []
    for index, item in enumerate(items):
        try:
            payment = _readable(item, read_payment)
            if payment.is_captured:
                reports.append(_report(api, payment))
        except Unreadable as error:
            unreadable.append(unreadable_item(item, error))
        except Transient:
            if not index:
                raise
            return CapturePage(reports, f"{since}.{until}.{skip + index}", unreadable)
    return CapturePage(reports, f"{since}.{until}.{skip + PAGE}" if len(items) == PAGE else "", unreadable)


def _earliest(instant: datetime) -> int:
    return max(_EARLIEST, int((instant - CAPTURED_WITHIN).timestamp()))


def _read_mark(mark: str) -> tuple[int, int, int]:
    """From when, until when, and how many were listed: what begins later does not move the rest."""
    since, until, skip = mark.split(".")
    return int(since), int(until), int(skip)


def settled_items(begin: Callable[[], Call], day: date) -> Iterator[SettledItem | Unread]:
    """See `Gateway.settled_items`. https://razorpay.com/docs/api/settlements/fetch-recon"""
    query: dict[str, str | int] = {"year": day.year, "month": f"{day.month:02}", "day": f"{day.day:02}"}
    for item in pages(begin, "settlements", "recon", "combined", size=SETTLED_PAGE, **query):
        if item.data.get("settled") is not False:
            try:
                yield _read_settled(item)
            except Malformed as error:
                yield Unread(unreadable_item(item, error))


def _report(api: Api, payment: Payment) -> OrderReport:
    """A payment of a link carries the link's notes and, in its description, its id; else its order is asked."""
    reference = payment.reference
    if not reference and payment.order_id:
        try:
            reference = api.receipt_of(payment.order_id)
        except Refusal:
            reference = ""
    link_id = payment.link_id
    if reference and not link_id:
        link = orders.find(api, reference)
        link_id = link.id if link else ""
    return capture_report(payment, reference=reference, link_id=link_id or payment.order_id)


def _read_settled(fields: Fields) -> SettledItem:
    """`amount` has no sign: a payment comes, a refund goes, and of the rest `credit` says."""
    kind = fields.id("type")
    comes = kind == "payment" or (kind != "refund" and fields.whole("credit") > 0)
    settled_at = fields.unix("settled_at")
    if settled_at is None:
        raise Malformed("settled_at: missing")
    reference = noted(fields)
    return SettledItem(
        kind=kind,
        gateway_id=fields.id("entity_id"),
        reference=reference or (fields.text_or_empty("order_receipt") if kind == "payment" else ""),
        amount_paise=fields.whole("amount") if comes else -fields.whole("amount"),
        fee_paise=fields.whole_or_none("fee") or 0,
        tax_paise=fields.whole_or_none("tax") or 0,
        currency=fields.currency(),
        settlement_id=fields.id("settlement_id"),
        bank_reference=fields.text_or_empty("settlement_utr"),
        settled_at=settled_at,
    )


def _readable(item: Fields, reader: Callable[[Fields], _T]) -> _T:
    try:
        return reader(item)
    except Malformed as error:
        raise Unreadable(f"{NAME}: unreadable answer, {error}") from error
