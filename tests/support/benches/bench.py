"""What every gateway must have on a bench, for the tests that all of them pass: an adapter, its fake, and a visitor."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

from backend.payments.gateway import Gateway, Order, OrderReport, RefundOrder
from tests.support.relay import Relay

Delivery = tuple[bytes, Mapping[str, str]]  # body and headers of a webhook


class Bench(ABC):
    """One adapter that asks its fake through a relay. References are new in every test, so one bench serves many."""

    name: ClassVar[str]
    gateway: Gateway  # asks through `relay`
    relay: Relay

    def new_order(self, amount_paise: int = 150_000) -> Order:
        """One that nobody has asked for yet."""
        return Order(
            f"PAY-{secrets.token_hex(10).upper()}",
            amount_paise,
            "INR",
            description="Booking MS-2026-ABC234",
            return_url="https://api.example.org/go/pay/",
            expires_at=datetime.now(UTC) + timedelta(hours=2),
        )

    def new_refund(self, captured: OrderReport, amount_paise: int = 50_000) -> RefundOrder:
        reference = f"REF-{secrets.token_hex(10).upper()}"
        return RefundOrder(reference, captured.reference, amount_paise, captured.currency, captured.capture_id)

    def paid_order(self) -> OrderReport:
        """An order that a visitor has paid."""
        order = self.new_order()
        self.gateway.ensure_order(order)
        self.pay(order.reference)
        return self.gateway.complete_order(order.reference)

    @abstractmethod
    def pay(self, reference: str) -> bool:
        """The visitor pays; False: the gateway's page takes no money for this order."""

    @abstractmethod
    def decline(self, reference: str) -> None:
        """The visitor tries to pay, and the bank says no."""

    @abstractmethod
    def hold_refunds(self, reference: str) -> None:
        """Refunds of this order stay pending until `finish_refunds`."""

    @abstractmethod
    def refuse_refunds(self, reference: str) -> None:
        """Refunds of this order are taken, perhaps, and fail in the end, at `finish_refunds` at the latest."""

    @abstractmethod
    def finish_refunds(self) -> None:
        """What pends is done now, or fails."""

    @abstractmethod
    def orders_of(self, reference: str) -> int:
        """How many orders the gateway has for this reference."""

    @abstractmethod
    def call_currency(self, captured: OrderReport, currency: str) -> None:
        """What the gateway lists of this capture says this of its currency from now on."""

    @abstractmethod
    def settle(self) -> date:
        """Everything up to now is paid out. The day of it."""

    @abstractmethod
    def deliveries(self) -> list[Delivery]:
        """Every webhook that the gateway has to tell so far, oldest first."""

    @abstractmethod
    def signed(self, body: bytes) -> Delivery:
        """A webhook of any body, as genuine as the gateway's own."""

    @abstractmethod
    def with_another_secret(self) -> Gateway:
        """The same adapter, which knows another secret of webhooks."""

    @abstractmethod
    def with_another_key(self) -> Gateway:
        """The same adapter, whose key the gateway does not know."""

    @abstractmethod
    def stop(self) -> None: ...
