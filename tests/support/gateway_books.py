"""A gateway's books in memory, and a round in which ours are held against them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import time_machine

from backend.bookings.lifecycle.refunds import GatewayWork
from backend.bookings.models import Booking
from backend.outbox.attempts import Snooze
from backend.outbox.models import Message, MessageState
from backend.payments.gateway import CapturePage, OrderReport, OrderState, RefundReport
from backend.payments.models import InboxEvent, Payment
from tests.support import scenarios
from workers import payments, timers

LATER = timedelta(minutes=15)


class Books:
    """A gateway's, in memory: what it captured and gave back, listed one capture at a time."""

    name = "sandbox"
    has_pages = True

    def __init__(self) -> None:
        self.captures: list[OrderReport] = []
        self.orders: dict[str, OrderReport] = {}
        self.refunds: dict[str, list[RefundReport]] = {}
        self.asked: list[str] = []
        self.unreadable: list[str] = []
        self.trouble: Exception | None = None

    def capture(self, payment: Payment, **changes: object) -> OrderReport:
        report = scenarios.captured(payment, **changes)
        self.captures.append(report)
        self.orders.setdefault(payment.reference, report)
        return report

    def captures_page(self, _since: datetime, mark: str = "", /) -> CapturePage:
        self._ask(f"page {mark}")
        at = int(mark or 0)
        next_mark = str(at + 1) if at + 1 < len(self.captures) else ""
        return CapturePage(self.captures[at : at + 1], next_mark, self.unreadable)

    def fetch_order(self, reference: str, _id: str = "", /) -> OrderReport | None:
        self._ask(f"order {reference}")
        return self.orders.get(reference)

    def complete_order(self, reference: str, _id: str = "", /) -> OrderReport:
        order = self.orders[reference]
        self.orders[reference] = replace(order, state=OrderState.CAPTURED, capture_id="cap_granted")
        return self.orders[reference]

    def fetch_refunds(self, reference: str, _id: str = "", /) -> list[RefundReport]:
        self._ask(f"refunds {reference}")
        return self.refunds.get(reference, [])

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.trouble is not None:
            raise self.trouble


def look(at: datetime) -> list[MessageState | Snooze]:
    """One round, by the worker, piece by piece."""
    with time_machine.travel(at, tick=False):
        timers.reconcile()
        message = Message.objects.filter(kind=GatewayWork.RECONCILE).latest("pk")
        answers = [payments.perform(message)]
        while isinstance(answers[-1], Snooze) and answers[-1].until <= at:
            answers.append(payments.perform(message))
    return answers


def kept() -> list[str]:
    """What was kept for people, without what no event told of."""
    return list(InboxEvent.objects.filter(result="quarantined").order_by("pk").values_list("why", flat=True))


def paid(books: Books, now: datetime) -> tuple[Booking, Payment]:
    """A confirmed booking, in both books."""
    booking = scenarios.confirmed(now=now)
    payment = Payment.objects.get()
    books.capture(payment)
    return booking, payment
