"""Speaks to Stripe over HTTP, and reads its webhooks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock

from django.utils import timezone

from backend.core.errors import Code, Permanent, Refused, Transient
from backend.core.outgoing.asking import Line
from backend.core.outgoing.fields import Fields, Malformed, read_each, unreadable_item
from backend.payments import stamped
from backend.payments.gateway import (
    CapturePage,
    Event,
    Order,
    OrderReport,
    OrderState,
    RefundOrder,
    RefundReport,
    SettledItem,
    Unread,
)
from backend.payments.stripe import asks, events
from backend.payments.stripe.answers import readable, require
from backend.payments.stripe.asks import OF_SESSION, SESSIONS, Query
from backend.payments.stripe.objects import id_of, read_session, read_settled

API_VERSION = "2026-10-28.endive"  # that of stripe 16.1, with which the tests compare what we send
SIGNATURE_HEADER = "Stripe-Signature"

# how long before a capture its page may have been made: its life, and as long again for a bank that takes its time
PAGE_BEFORE_CAPTURE = timedelta(hours=48)
MOST_IN_FULL = 25  # items of a page that come with all that belongs to them, some 10 kB each


class StripeGateway:
    """The `Gateway` of Stripe at `url`. `secrets` sign its webhooks: the current one, and the previous one while it is
    rolled."""

    name = "stripe"
    has_pages = True

    def __init__(self, url: str, api_key: str, secrets: Sequence[str]) -> None:
        headers = {"Authorization": f"Bearer {api_key}".encode(), "Stripe-Version": API_VERSION.encode()}
        self._line = Line(self.name, url, headers=headers)
        self._secrets = tuple(secrets)

    def ensure_order(self, order: Order) -> OrderReport:
        """See `Gateway`. Nothing is made from `expires_at` on: until then the key of the first ask is remembered, for
        an order lives for a day at most. A second key could make a second page.
        """
        call, now = self._line.call(), timezone.now()
        is_over = order.expires_at is not None and order.expires_at <= now
        session = None if is_over else asks.make_session(call, order, now)
        session = session or asks.find_session(call, order.reference, "")
        if session is None:
            why = "its time is over" if is_over else "it was begun otherwise, and cannot be found yet"
            raise Transient(f"stripe: no page for the order, {why}", surely_not_sent=is_over)
        report = asks.report(session, order.reference)
        if (report.amount_paise, report.currency) != (order.amount_paise, order.currency):
            raise Permanent("stripe: the order exists with another sum", surely_not_sent=True)
        return report

    def fetch_order(self, reference: str, gateway_order_id: str = "", /) -> OrderReport | None:
        """See `Gateway`."""
        session = asks.find_session(self._line.call(), reference, gateway_order_id)
        return None if session is None else asks.report(session, reference)

    def complete_order(self, reference: str, gateway_order_id: str = "", /) -> OrderReport:
        """See `Gateway`."""
        call = self._line.call()
        session = asks.find_session(call, reference, gateway_order_id)
        if session is None:
            raise Permanent("stripe: no such order", surely_not_sent=True)
        report = asks.report(session, reference)
        if report.state is not OrderState.AUTHORISED:
            return report
        with readable():
            intent = id_of(session, "payment_intent")
        path = ("v1", "payment_intents", intent, "capture")
        require(asks.post(call, *path, idempotency=f"{reference}-capture"))
        return asks.report(asks.session_in_full(call, report.gateway_order_id), reference)

    def close_order(self, reference: str, gateway_order_id: str = "", /) -> OrderReport | None:
        """See `Gateway`."""
        call = self._line.call()
        session = asks.find_session(call, reference, gateway_order_id)
        if session is None:
            return None
        report = asks.report(session, reference)
        if session.data.get("status") != "open":
            return report
        asks.post(call, *SESSIONS, report.gateway_order_id, "expire")  # refused if it was paid or has expired meanwhile
        return asks.report(asks.session_in_full(call, report.gateway_order_id), reference)

    def ensure_refund(self, refund: RefundOrder) -> RefundReport:
        """See `Gateway`. What exists is looked up first: a refund pends for longer than its key is remembered."""
        if not refund.capture_id:
            raise Permanent("stripe: nothing was captured", surely_not_sent=True)
        call = self._line.call()
        made = [each for each in asks.refunds_of(call, refund.capture_id) if each.reference == refund.reference]
        report = made[0] if made else asks.make_refund(call, refund)
        if report.amount_paise != refund.amount_paise:
            raise Permanent("stripe: the refund exists with another sum", surely_not_sent=True)
        return report

    def fetch_refunds(self, reference: str, gateway_order_id: str = "", /) -> list[RefundReport]:
        """See `Gateway`."""
        call = self._line.call()
        session = asks.find_session(call, reference, gateway_order_id)
        if session is None:
            return []
        with readable():
            intent = id_of(session, "payment_intent")
        return asks.refunds_of(call, intent) if intent else []

    def captures_page(self, instant: datetime, mark: str = "", /) -> CapturePage:
        """See `Gateway`. Stripe lists pages by the instant at which they were made, newest first."""
        query: Query = {
            "status": "complete",
            "created[gte]": int((instant - PAGE_BEFORE_CAPTURE).timestamp()),
            "expand[]": f"data.{OF_SESSION}",
            "limit": MOST_IN_FULL,
        }
        sessions, next_mark = asks.page(self._line.call(), *SESSIONS, query=query, after=mark)
        of_payments = [session for session in sessions if session.data.get("mode") in ("payment", None)]
        reports, unreadable = read_each(of_payments, read_session)
        captured = [report for report in reports if _is_captured_since(report, instant)]
        return CapturePage(captured, next_mark, unreadable)

    def settled_items(self, day: date) -> Iterator[SettledItem | Unread]:
        """See `Gateway`. A payout arrives on a date, which Stripe writes as its midnight in UTC."""
        first = int(datetime.combine(day, clock.min, UTC).timestamp())
        query: Query = {"arrival_date[gte]": first, "arrival_date[lt]": first + 24 * 60 * 60, "status": "paid"}
        settled_at = datetime.combine(day, clock.min, timezone.get_default_timezone())
        for payout in self._listed("v1", "payouts", query=query):
            with readable():
                parts: Query = {"payout": payout.id("id"), "expand[]": "data.source", "limit": MOST_IN_FULL}
            for item in self._listed("v1", "balance_transactions", query=parts):
                try:
                    settled = read_settled(item, payout, settled_at)
                except Malformed as error:
                    yield Unread(unreadable_item(item, error))
                    continue
                if settled.kind != "payout":  # the payout itself is among what it is made of
                    yield settled

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> Event:
        """See `Gateway`."""
        signature = next((value for name, value in headers.items() if name.lower() == SIGNATURE_HEADER.lower()), "")
        if not stamped.is_signed(body, signature, self._secrets, time.time()):
            raise Refused(Code.SIGNATURE_INVALID)
        return events.read_event(body)

    def _listed(self, *path: str, query: Query) -> Iterator[Fields]:
        """Page by page, each with a time of its own."""
        return asks.listed(self._line.call, *path, query=query)


def _is_captured_since(report: OrderReport, instant: datetime) -> bool:
    captured_at = report.capture.captured_at
    return report.state is OrderState.CAPTURED and (captured_at is None or captured_at >= instant)
