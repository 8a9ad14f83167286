"""Razorpay on the bench: the fake in a thread, whose webhooks wait to be read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from backend.payments.gateway import Gateway, Order, OrderReport
from backend.payments.razorpay.adapter import Account, RazorpayGateway
from backend.payments.razorpay.signatures import sign
from tests.support.benches.bench import Bench, Delivery
from tests.support.fake_razorpay.books import INDIA
from tests.support.fake_razorpay.server import ACCOUNT_ID, KEY_ID, KEY_SECRET, WEBHOOK_SECRET, FakeRazorpay
from tests.support.relay import Relay


class RazorpayBench(Bench):
    name = "razorpay"

    def __init__(self, _folder: Path) -> None:
        self.fake = FakeRazorpay()
        self.relay = Relay(self.fake.url)
        self.gateway = self.made()

    def made(
        self,
        *,
        key_secret: str = KEY_SECRET,
        secrets: tuple[str, ...] = (WEBHOOK_SECRET,),
        account_id: str = ACCOUNT_ID,
    ) -> RazorpayGateway:
        """An adapter that asks through the relay."""
        return RazorpayGateway(Account(self.relay.url, KEY_ID, key_secret, secrets, account_id))

    def look(self, order: Order) -> OrderReport:
        """At one that is there."""
        report = self.gateway.fetch_order(order.reference)
        assert report is not None
        return report

    def attempt(self, order: Order, status: str, **more: Any) -> str:
        """The id of a payment that the visitor tried."""
        payment = self.fake.books.attempt(self.link_of(order.reference), status, **more)
        assert payment is not None
        return str(payment["id"])

    def pay(self, reference: str) -> bool:
        return self.fake.books.attempt(self.link_of(reference), "captured") is not None

    def decline(self, reference: str) -> None:
        self.fake.books.attempt(self.link_of(reference), "failed")

    def hold_refunds(self, reference: str) -> None:
        self._refunds_become(reference, "processed")

    def refuse_refunds(self, reference: str) -> None:
        self._refunds_become(reference, "failed")

    def finish_refunds(self) -> None:
        self.fake.books.finish_refunds()

    def orders_of(self, reference: str) -> int:
        return len(self.fake.books.links_with(reference))

    def call_currency(self, captured: OrderReport, currency: str) -> None:
        self.fake.books.payments[captured.capture_id]["currency"] = currency

    def settle(self) -> date:
        self.fake.books.settle()
        return datetime.now(UTC).astimezone(INDIA).date()

    def deliveries(self) -> list[Delivery]:
        return [(webhook.body, webhook.headers) for webhook in self.fake.books.outbox.webhooks]

    def signed(self, body: bytes) -> Delivery:
        return body, {"X-Razorpay-Signature": sign(body, WEBHOOK_SECRET)}

    def with_another_secret(self) -> Gateway:
        return self.made(secrets=("another",))

    def with_another_key(self) -> Gateway:
        return self.made(key_secret="another")

    def stop(self) -> None:
        self.relay.stop()
        self.fake.stop()

    def link_of(self, reference: str) -> str:
        (link,) = self.fake.books.links_with(reference)
        return str(link["id"])

    def _refunds_become(self, reference: str, status: str) -> None:
        order_id = self.fake.books.links_with(reference)[0]["order_id"]
        for payment in self.fake.books.payments_of(order_id):
            self.fake.books.refunds_of[payment["id"]] = status
