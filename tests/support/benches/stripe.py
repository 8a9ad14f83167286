"""Stripe on the bench: the fake in threads of this process, whose webhooks wait to be read."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

from django.utils import timezone

from backend.payments.gateway import Gateway, OrderReport
from backend.payments.stamped import sign
from backend.payments.stripe.adapter import StripeGateway
from tests.support.benches.bench import Bench, Delivery
from tests.support.fake_stripe.books import How, Refunds
from tests.support.fake_stripe.server import KEY, WEBHOOK_SECRET, FakeStripe
from tests.support.fake_stripe.shelf import Thing
from tests.support.relay import Relay


class StripeBench(Bench):
    name = "stripe"

    def __init__(self, _folder: Path) -> None:
        self.fake = FakeStripe()
        self.books = self.fake.books
        self.relay = Relay(self.fake.url)
        self.gateway = self.made()

    def made(self, *, key: str = KEY, secret: str = WEBHOOK_SECRET) -> StripeGateway:
        """An adapter that asks through the relay."""
        return StripeGateway(self.relay.url, key, [secret])

    def pay(self, reference: str) -> bool:
        return self.act(reference, How.CARD)

    def decline(self, reference: str) -> None:
        self.act(reference, How.DECLINE)

    def act(self, reference: str, how: How, seconds: float = 0) -> bool:
        """A visitor on the page of this reference."""
        return self.books.pay(self.session_of(reference)["id"], how, seconds)

    def hold_refunds(self, reference: str) -> None:
        self.books.refunds_become[self.session_of(reference)["payment_intent"]] = Refunds.PENDING

    def refuse_refunds(self, reference: str) -> None:
        self.books.refunds_become[self.session_of(reference)["payment_intent"]] = Refunds.FAILED

    def finish_refunds(self) -> None:
        self.books.finish_refunds()

    def orders_of(self, reference: str) -> int:
        return len(self.books.sessions_of(reference))

    def call_currency(self, captured: OrderReport, currency: str) -> None:
        self.session_of(captured.reference)["currency"] = currency.lower()

    def settle(self) -> date:
        day = timezone.localdate()
        self.books.settle(day)
        return day

    def deliveries(self) -> list[Delivery]:
        self.books.advance()
        return [(webhook.body, webhook.headers) for webhook in self.books.outbox.webhooks]

    def signed(self, body: bytes) -> Delivery:
        return body, {"Stripe-Signature": sign(body, WEBHOOK_SECRET, time.time())}

    def with_another_secret(self) -> Gateway:
        return self.made(secret="whsec_another")

    def with_another_key(self) -> Gateway:
        return self.made(key="sk_test_another")

    def stop(self) -> None:
        self.relay.stop()
        self.fake.stop()

    def session_of(self, reference: str) -> Thing:
        (session,) = self.books.sessions_of(reference)
        return session
