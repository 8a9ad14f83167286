"""The sandbox gateway on the bench: its own server, in a thread."""

from __future__ import annotations

import threading
import time
from datetime import date
from pathlib import Path

from django.utils import timezone

from backend.payments.gateway import Gateway, OrderReport
from backend.payments.sandbox.adapter import SandboxGateway
from backend.payments.sandbox.server import SandboxServer
from backend.payments.sandbox.store import Store, Unknown
from backend.payments.sandbox.wire import SIGNATURE_HEADER, Behaviour, Instruction, sign
from tests.support.benches.bench import Bench, Delivery
from tests.support.relay import Relay

SECRET = "a secret of this bench"
DAY = 86_400.0


class SandboxBench(Bench):
    name = "sandbox"

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "sandbox.sqlite3")
        self.server = SandboxServer(("127.0.0.1", 0), self.store, SECRET)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.relay = Relay(f"http://127.0.0.1:{self.server.server_port}")
        self.gateway = SandboxGateway(self.relay.url, SECRET)

    def pay(self, reference: str) -> bool:
        self.store.capture(reference, time.time())
        return True

    def decline(self, reference: str) -> None:
        self._instruct(reference, Behaviour.DECLINE)
        self.gateway.complete_order(reference)

    def hold_refunds(self, reference: str) -> None:
        self._instruct(reference, Behaviour.LATE)

    def refuse_refunds(self, reference: str) -> None:
        self._instruct(reference, Behaviour.DECLINE)

    def finish_refunds(self) -> None:
        self.store.advance(time.time() + DAY)

    def orders_of(self, reference: str) -> int:
        try:
            self.store.order(reference)
        except Unknown:
            return 0
        return 1

    def call_currency(self, captured: OrderReport, currency: str) -> None:
        with self.store._transaction() as db:
            db.execute("UPDATE orders SET currency = ? WHERE reference = ?", (currency, captured.reference))

    def settle(self) -> date:
        return timezone.localdate()

    def deliveries(self) -> list[Delivery]:
        found = []
        while due := self.store.due_webhooks(time.time() + 2 * DAY):
            for webhook in due:
                self.store.tried(webhook, None)
                found.append((webhook.body, {SIGNATURE_HEADER: sign(webhook.body, SECRET, time.time())}))
        return found

    def signed(self, body: bytes) -> Delivery:
        return body, {SIGNATURE_HEADER: sign(body, SECRET, time.time())}

    def with_another_secret(self) -> Gateway:
        return SandboxGateway(self.relay.url, "another")

    with_another_key = with_another_secret

    def stop(self) -> None:
        self.relay.stop()
        self.server.shutdown()
        self.server.server_close()
        self.store.close()

    def _instruct(self, reference: str, behaviour: Behaviour) -> None:
        self.store.instruct(reference, Instruction(behaviour, DAY / 2), time.time())
