"""What Razorpay tells of a payment, in every order and twice, before and after what we do: docs/payments-events.md.

`TEST_WRITE_DOCS=1` writes it; otherwise the test compares. Each cell is what its rule says (`expected`), and what
became of every order.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import transaction

from backend.bookings.lifecycle import attempts, differences, inbox, rescheduling
from backend.bookings.lifecycle.refunds import GatewayWork
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.core.outgoing.fields import Fields
from backend.outbox.models import Message
from backend.payments.gateway import Event, OrderReport, RefundReport
from backend.payments.models import InboxEvent, Payment, Refund
from backend.payments.razorpay.adapter import Account, RazorpayGateway
from backend.payments.razorpay.refunds import read_report
from backend.payments.razorpay.reports import order_report
from backend.payments.razorpay.wire import NOTE, read_link, read_payment
from tests.support import scenarios
from tests.support.fake_razorpay.books import Books
from tests.support.fake_razorpay.events import Outbox
from workers import payments

DOCUMENT = Path(__file__).parents[3] / "docs" / "payments-events.md"
SECRET, OURS = "a secret of this test", "acc_ours"

HEAD = """# Orders of events

What becomes of a booking whose visitor pays at Razorpay, by what happened there and by what we did before its events
came, or after. The test that checks it, `tests/bookings/lifecycle/test_event_orders.py`, writes it with
`TEST_WRITE_DOCS=1`: it delivers the events of each history in every order, each twice, then lets the payments worker
ask what it owes to ask. Every order ends in the same cell.

*kept*: it counts as paid. *goes back*: all of it, by itself. *told*: staff find in quarantine that the gateway gave it
back, not we.

"""


@dataclass(frozen=True)
class History:
    """What happens at Razorpay: a try that fails, one that the bank grants, its capture, and its way back there."""

    steps: tuple[str, ...]

    def __str__(self) -> str:
        return ", ".join(("created", *self.steps))


HISTORIES = [
    History(()),
    History(("failed",)),
    History(("authorized",)),
    History(("authorized", "captured")),
    History(("failed", "authorized", "captured")),
    History(("authorized", "captured", "refunded")),
    History(("failed", "authorized", "captured", "refunded")),
]
TOLD_AGAIN = ("order.paid", "refund.created")  # the same in other words
CANCEL, DEADLINE, RESCHEDULE = "cancel", "deadline", "reschedule"
BEFORE = ("", CANCEL, DEADLINE, RESCHEDULE)
AFTER = (CANCEL, DEADLINE, RESCHEDULE)


def expected(history: History, before: str, after: str) -> str:
    """The rule, said without our code: money that comes while a session may take place is kept, else it goes back."""
    is_granted = "authorized" in history.steps
    is_captured = "captured" in history.steps or (is_granted and before != CANCEL)  # we capture what we would keep
    if not is_captured:
        unpaid = {"": "waits", RESCHEDULE: "waits", CANCEL: "cancelled", DEADLINE: "payment_failed"}
        return unpaid[before if after in ("", RESCHEDULE) or before in (CANCEL, DEADLINE) else after]
    went_back = ", told" if "refunded" in history.steps else ""
    if before == CANCEL:
        return "cancelled, goes back" + went_back
    if after == CANCEL:
        return "cancelled, kept and given back" + went_back
    return "confirmed, kept" + went_back


class Razorpay:
    """The fake's books, and the real adapter's reading of them: no HTTP."""

    name = "razorpay"
    has_pages = True

    def __init__(self) -> None:
        self.books = Books(Outbox(OURS, SECRET), "https://rzp.example.org")
        self.books.captures_by_itself = False
        self.adapter = RazorpayGateway(Account("http://127.0.0.1:9", "rzp_test_x", "x", [SECRET], OURS))

    def happen(self, reference: str, history: History) -> Mapping[str, list[Event]]:
        """All of a history. The events of each step; a capture makes two beside those."""
        told = {}
        link_id = self.books.links_with(reference)[0]["id"]
        payment_id = ""
        for step in history.steps:
            first = len(self.books.outbox.webhooks)
            if step in ("failed", "authorized"):
                tried = self.books.attempt(link_id, step)
                assert tried is not None
                payment_id = tried["id"]
            elif step == "captured":
                self.books.become(payment_id, step)
            else:
                self.books.refund(payment_id, {"amount": 150_000}, None)
            made = [each for each in self.books.outbox.webhooks[first:] if each.event not in TOLD_AGAIN]
            told[step] = [self.adapter.read_event(each.body, each.headers) for each in made]
        return told

    def fetch_order(self, reference: str, _id: str = "", /) -> OrderReport:
        link = read_link(Fields(self.books.links_with(reference)[0]))
        tries = self.books.payments_of(link.order_id) if link.order_id else []
        return order_report(link, [read_payment(Fields(each)) for each in tries])

    def complete_order(self, reference: str, _id: str = "", /) -> OrderReport:
        for payment in self.books.payments.values():
            if payment["status"] == "authorized":
                self.books.capture(payment["id"], {"amount": payment["amount"], "currency": payment["currency"]})
        return self.fetch_order(reference)

    def fetch_refunds(self) -> list[RefundReport]:
        return [read_report(Fields(each)) for each in self.books.refunds.values()]


@pytest.mark.sqlite_only
@pytest.mark.django_db
def test_events_in_every_order_end_as_the_table_says(
    now: datetime, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.PAYMENT_GATEWAY = "razorpay"
    booking, payment = scenarios.paying(now=now, at=now + timedelta(days=9))
    Payment.objects.filter(pk=payment.pk).update(page_state="open")
    lines = [
        "| At the gateway | orders | nothing else | "
        + " | ".join(f"{each} before" for each in BEFORE[1:])
        + " | "
        + " | ".join(f"{each} after" for each in AFTER)
        + " |",
        "|---" * (3 + len(BEFORE[1:]) + len(AFTER)) + "|",
    ]
    for history in HISTORIES:
        cells = [_all_orders(history, before, booking, payment, monkeypatch) for before in BEFORE]
        afters = cells[0].afters
        orders = len(list(permutations(history.steps)))
        outcomes = [cell.outcome for cell in cells] + [afters[each] for each in AFTER]
        lines.append(f"| {history} | {orders} | " + " | ".join(outcomes) + " |")
    table = HEAD + "\n".join(lines) + "\n"
    if os.environ.get("TEST_WRITE_DOCS"):
        DOCUMENT.write_text(table)
    assert DOCUMENT.read_text() == table


@dataclass(frozen=True)
class Cell:
    outcome: str
    afters: Mapping[str, str]


def _all_orders(
    history: History, before: str, booking: Booking, payment: Payment, monkeypatch: pytest.MonkeyPatch
) -> Cell:
    outcomes, afters = set(), {}
    with rolled_back():
        gateway = _gateway(payment, monkeypatch)
        _do(before, booking, payment)
        told = gateway.happen(payment.reference, history)
        for _ in _every_order(told, payment):
            outcomes.add(_outcome(booking, payment, gateway))
            if not before and not afters:
                afters = {each: _after(each, booking, payment, gateway) for each in AFTER}
    assert outcomes == {expected(history, before, "")}, (str(history), before)
    assert afters == {each: expected(history, "", each) for each in afters}, str(history)
    return Cell(outcomes.pop(), afters)


def _gateway(payment: Payment, monkeypatch: pytest.MonkeyPatch) -> Razorpay:
    gateway = Razorpay()
    link = {"amount": payment.amount_paise, "currency": "INR", "reference_id": payment.reference}
    about = {"description": "A booking", "expire_by": int(time.time()) + 2 * 86_400}
    gateway.books.create_link({**link, **about, "notes": {NOTE: payment.reference}})
    monkeypatch.setattr("workers.payments.gateway_named", lambda _: gateway)
    return gateway


def _do(what: str, booking: Booking, payment: Payment) -> None:
    at = payment.started_at
    if what == CANCEL:
        scenarios.call_off(booking, at)
    elif what == DEADLINE and scenarios.again(booking).state == State.PAYMENT_PENDING:
        assert booking.pay_by is not None
        attempts.end_idle_attempt(payment.pk, now=booking.pay_by + timedelta(minutes=11))
    elif what == RESCHEDULE:
        move = rescheduling.Move(at + timedelta(days=10))
        rescheduling.reschedule(booking.pk, move, actor="staff:desk", now=at)


def _after(what: str, booking: Booking, payment: Payment, gateway: Razorpay) -> str:
    with rolled_back():
        _do(what, booking, payment)
        return _outcome(booking, payment, gateway)


def _every_order(told: Mapping[str, list[Event]], payment: Payment) -> Iterator[None]:
    """Once at the end of each order; orders that begin alike share that beginning."""
    at = payment.started_at + timedelta(hours=1)
    if not told:
        assert not InboxEvent.objects.filter(applied_at=None).exists()
        with time_machine.travel(at, tick=False):
            for message in Message.objects.filter(kind=GatewayWork.LOOK_AT_ORDER)[:1]:
                payments.perform(message)
        yield
    for step, events in told.items():
        with rolled_back():
            for event in events * 2:
                inbox.receive_event("razorpay", event, now=at)
            yield from _every_order({name: each for name, each in told.items() if name != step}, payment)


def _outcome(booking: Booking, payment: Payment, gateway: Razorpay) -> str:
    found, paid = scenarios.again(booking), Payment.objects.get(pk=payment.pk)
    given_back = sum(Refund.objects.filter(payment=paid).values_list("amount_paise", flat=True))
    assert given_back in (0, paid.captured_paise)
    assert Payment.objects.count() == 1
    words = ["waits" if found.state == State.PAYMENT_PENDING else found.state.lower()]
    if paid.counts:
        words.append("kept and given back" if given_back else "kept")
    elif given_back:
        words.append("goes back")
    differs = (
        differences.of_refunds(paid, gateway.fetch_refunds(), asked_at=paid.started_at) if paid.captured_paise else ()
    )
    words += ["told" for each in differs if each.kind is differences.Kind.NOT_OURS]
    return ", ".join(words)


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
