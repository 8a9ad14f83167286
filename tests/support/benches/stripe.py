"""Stripe on the bench: the fake, in threads of this process."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path

from django.utils import timezone

from backend.payments.gateway import Gateway
from backend.payments.stamped import sign
from backend.payments.stripe.adapter import SIGNATURE_HEADER, StripeGateway
from tests.support.benches.bench import Bench, Delivery
from tests.support.relay import Relay
from tests.support.stripe.books import How, Refunds
from tests.support.stripe.server import KEY, SECRET, FakeStripe, newest, sessions_of


class StripeBench(Bench):
    name = "stripe"

    def __init__(self, _folder: Path) -> None:
        self.fake = FakeStripe()
        self.fake.start()
        self.books = self.fake.books
        self.relay = Relay(self.fake.url)
        self.gateway = self._gateway()

    def pay(self, reference: str) -> bool:
        return self.act(reference, How.CARD)

    def decline(self, reference: str) -> None:
        self.act(reference, How.DECLINE)

    def act(self, reference: str, how: How, seconds: float = 0) -> bool:
        """A visitor on the page of the newest session of this reference."""
        session = newest(self.books, reference)
        assert session is not None
        return self.books.pay(session["id"], how, seconds)

    def hold_refunds(self, reference: str) -> None:
        self._refunds_become(reference, Refunds.PENDING)

    def refuse_refunds(self, reference: str) -> None:
        self._refunds_become(reference, Refunds.FAILED)

    def finish_refunds(self) -> None:
        self.books.finish_refunds()

    def orders_of(self, reference: str) -> int:
        return len(sessions_of(self.books, reference))

    def settle(self) -> date:
        day = timezone.localdate()
        self.books.settle(day)
        return day

    def deliveries(self) -> list[Delivery]:
        self.books.advance()
        bodies = [json.dumps(event).encode() for event in self.books.events.things.values()]
        return [(body, {SIGNATURE_HEADER: sign(body, SECRET, time.time())}) for body in bodies]

    def with_another_secret(self) -> Gateway:
        return self._gateway(secret="whsec_another")

    def with_another_key(self) -> Gateway:
        return self._gateway(key="sk_test_another")

    def stop(self) -> None:
        self.relay.stop()
        self.fake.stop()

    def _gateway(self, key: str = KEY, secret: str = SECRET) -> StripeGateway:
        return StripeGateway(self.relay.url, key, [secret])

    def _refunds_become(self, reference: str, become: Refunds) -> None:
        session = newest(self.books, reference)
        assert session is not None
        self.books.refunds_become[session["payment_intent"]] = become
