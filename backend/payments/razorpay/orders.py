"""One payment link per order: made, looked for, captured and closed."""

from __future__ import annotations

import math
import time
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from backend.core.errors import Permanent, Transient, Unreadable
from backend.payments.gateway import Order, OrderReport
from backend.payments.razorpay.api import NAME, Api, Refusal
from backend.payments.razorpay.reports import order_report
from backend.payments.razorpay.wire import NOTE, Link, LinkStatus, Payment, PaymentStatus

LEAST_LIFE = timedelta(minutes=16)  # Razorpay asks for 15 on its own clock


def ensure(api: Api, order: Order) -> OrderReport:
    """See `Gateway.ensure_order`. A reference is taken for ever, so a link that is closed stays the order's."""
    link = find(api, order.reference) or _create(api, order)
    if (link.amount_paise, link.currency) != (order.amount_paise, order.currency):
        raise Permanent(f"{NAME}: the order {order.reference} exists with another sum", surely_not_sent=True)
    return _report(api, link)


def find(api: Api, reference: str, link_id: str = "") -> Link | None:
    """The link with our reference, by its own id if we know it: that asks nothing of Razorpay's search."""
    if not link_id:
        return next(iter(api.links_of(reference)), None)
    try:
        link = api.link(link_id)
    except Refusal as refusal:
        if refusal.status == HTTPStatus.UNAUTHORIZED:
            raise
        return find(api, reference)
    if link.reference != reference:
        raise Unreadable(f"{NAME}: an answer about another reference")
    return link


def fetch(api: Api, reference: str, link_id: str) -> OrderReport | None:
    """See `Gateway.fetch_order`."""
    link = find(api, reference, link_id)
    return None if link is None else _report(api, link)


def complete(api: Api, reference: str, link_id: str) -> OrderReport:
    """See `Gateway.complete_order`."""
    link = find(api, reference, link_id)
    if link is None:
        raise Permanent(f"{NAME}: no order {reference}", surely_not_sent=True)
    payments = tried(api, link)
    authorised = next((payment for payment in payments if payment.status == PaymentStatus.AUTHORIZED), None)
    if authorised is None or any(payment.is_captured for payment in payments):
        return order_report(link, payments)
    return order_report(link, _captured(api, link, authorised, payments))


def close(api: Api, reference: str, link_id: str) -> OrderReport | None:
    """See `Gateway.close_order`. What is no longer open cannot be cancelled: a look says what it is."""
    link = find(api, reference, link_id)
    if link is None:
        return None
    if link.status == LinkStatus.CREATED:
        try:
            link = api.cancel_link(link.id)
        except Refusal:
            link = api.link(link.id)
    return _report(api, link)


def tried(api: Api, link: Link) -> list[Payment]:
    """Every try by the link's page. Raises `Unreadable` while a link that is paid does not say by what."""
    is_paid = link.status in (LinkStatus.PAID, LinkStatus.PARTIALLY_PAID)
    payments = api.payments_of(api.link(link.id) if is_paid and not link.order_id else link)
    if is_paid and not any(payment.is_captured for payment in payments):
        raise Unreadable(f"{NAME}: the link of {link.reference} is paid, and its payment is not listed yet")
    return payments


def _create(api: Api, order: Order) -> Link:
    try:
        link = api.create_link(_body(order))
    except Refusal as refusal:
        # another worker's create, or one of ours whose answer was lost, may have been faster than our look
        link_there = find(api, order.reference)
        if link_there is not None:
            return link_there
        if "already exists" in refusal.words:
            raise Transient(f"{NAME}: {order.reference} exists and is not listed yet") from refusal
        raise
    if link.reference != order.reference:
        raise Unreadable(f"{NAME}: an answer about another reference")
    return link


def _body(order: Order) -> dict[str, Any]:
    """Nothing in it says who pays: Razorpay asks the payer itself for what it needs."""
    body: dict[str, Any] = {
        "amount": order.amount_paise,
        "currency": order.currency,
        "accept_partial": False,
        "reference_id": order.reference,
        "notes": {NOTE: order.reference},
        "notify": {"sms": False, "email": False},
        "reminder_enable": False,
    }
    if order.description:
        body["description"] = order.description
    if order.return_url:
        body |= {"callback_url": order.return_url, "callback_method": "get"}
    if order.expires_at is not None:
        body["expire_by"] = math.ceil(max(order.expires_at.timestamp(), time.time() + LEAST_LIFE.total_seconds()))
    return body


def _captured(api: Api, link: Link, authorised: Payment, payments: list[Payment]) -> list[Payment]:
    """The payments once the authorised one is captured, or was by somebody else meanwhile."""
    if (authorised.amount_paise, authorised.currency) != (link.amount_paise, link.currency):
        return payments  # a sum that we did not ask for is left to the bank, which takes it back
    try:
        captured = api.capture(authorised)
    except Refusal:
        return tried(api, link)
    if captured.id != authorised.id:
        raise Unreadable(f"{NAME}: an answer about another payment")
    return [captured if payment.id == authorised.id else payment for payment in payments]


def _report(api: Api, link: Link) -> OrderReport:
    return order_report(link, tried(api, link))
