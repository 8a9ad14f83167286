"""The fake Stripe as demo and storm use it: its page, its control door, its process, and how it delivers webhooks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from queue import Queue
from typing import Any

import pytest
import requests

from backend.core.errors import Refused, Transient
from backend.payments.gateway import EventKind, LastTry, Order, OrderReport, OrderState, captures_since
from backend.payments.stripe.adapter import StripeGateway
from tests.support.fake_gateway import delivery
from tests.support.fake_stripe.server import KEY, WEBHOOK_SECRET, FakeStripe
from tests.support.gateway import PATIENCE, Receiver
from tests.support.server import ROOT

pytestmark = pytest.mark.sqlite_only
BACK = "https://api.example.org/go/pay/?booking=1"


@pytest.fixture
def fake(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeStripe]:
    monkeypatch.setattr(delivery, "TICK_SECONDS", 0.01)
    receiver.status, receiver.received = 200, Queue()
    made = FakeStripe(webhook_url=receiver.url + "/hook/", seed=7)
    yield made
    made.stop()


def gateway_at(url: str) -> StripeGateway:
    return StripeGateway(url, KEY, [WEBHOOK_SECRET])


def ordered(fake: FakeStripe, reference: str) -> OrderReport:
    expires_at = datetime.now(UTC) + timedelta(hours=1)
    return gateway_at(fake.url).ensure_order(Order(reference, 100_000, "INR", "Booking A <1>", BACK, expires_at))


def control(fake: FakeStripe, action: str, **body: Any) -> Any:
    answer = requests.post(f"{fake.url}/_control/{action}", json=body, timeout=PATIENCE)
    answer.raise_for_status()
    return answer.json()


def test_its_process_says_how_it_is_asked_and_ends_when_told() -> None:
    command = [sys.executable, "-m", "tests.support.fake_stripe", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = dict(process.stdout.readline().strip().split("=", 1) for _ in range(3))
        try:
            asked = StripeGateway(said["STRIPE_URL"], said["STRIPE_SECRET_KEY"], [said["STRIPE_WEBHOOK_SECRET"]])
            assert asked.fetch_order("PAY-1") is None
        finally:
            process.terminate()
    assert process.returncode == 0


def test_its_page_takes_money_once_and_leads_back(fake: FakeStripe) -> None:
    page = ordered(fake, "PAY-1").pay_url
    shown = requests.get(page, timeout=PATIENCE).text
    assert "1,000.00" in shown
    assert "Booking A &lt;1&gt;" in shown
    assert "declined" in requests.post(page, data={"choice": "decline"}, timeout=PATIENCE).text
    paid = requests.post(page, data={"choice": "pay"}, timeout=PATIENCE, allow_redirects=False)
    assert (paid.status_code, paid.headers["Location"]) == (303, BACK)
    assert "have paid" in requests.post(page, data={"choice": "pay"}, timeout=PATIENCE).text
    assert gateway_at(fake.url).complete_order("PAY-1").state is OrderState.CAPTURED


def test_a_bank_that_answers_later_does_so_once_the_clock_is_set_on(fake: FakeStripe) -> None:
    page = ordered(fake, "PAY-1").pay_url
    requests.post(page, data={"choice": "later"}, timeout=PATIENCE, allow_redirects=False)
    assert gateway_at(fake.url).complete_order("PAY-1").last_try is LastTry.PENDING
    control(fake, "ahead", seconds=60)
    assert gateway_at(fake.url).complete_order("PAY-1").state is OrderState.CAPTURED


def test_a_bank_that_takes_its_time_speaks_when_it_is_told_to_and_once(fake: FakeStripe) -> None:
    ordered(fake, "PAY-1")
    begun = control(fake, "attempt", reference="PAY-1", status="created", becomes="captured", seconds=60)["payment"]
    assert begun["status"] == "processing"
    assert control(fake, "speak", payment_id=begun["id"])["payment"]["status"] == "succeeded"
    told = len(fake.books.outbox.webhooks)
    control(fake, "ahead", seconds=61)
    assert len(fake.books.outbox.webhooks) == told


def test_events_come_in_copies_in_any_order_and_signed_with_the_secret_of_the_moment(
    fake: FakeStripe, receiver: Receiver
) -> None:
    control(fake, "webhooks", copies=2, shuffled=True, secret="whsec_" + "rolled" * 5)
    ordered(fake, "PAY-1")
    assert control(fake, "attempt", reference="PAY-1")["payment"]["status"] == "succeeded"
    arrived = [receiver.received.get(timeout=PATIENCE)[1:] for _ in range(6)]
    reader = StripeGateway(fake.url, KEY, ["whsec_" + "rolled" * 5, WEBHOOK_SECRET])
    events = [reader.read_event(body, headers) for body, headers in arrived]
    assert len({event.event_id for event in events}) == 3
    assert [event.kind for event in events].count(EventKind.ORDER_CAPTURED) == 2
    with pytest.raises(Refused):
        gateway_at(fake.url).read_event(*arrived[0])


def test_while_it_is_silent_nobody_is_told_and_asking_finds_it(fake: FakeStripe, receiver: Receiver) -> None:
    control(fake, "webhooks", silent=True)
    ordered(fake, "PAY-1")
    control(fake, "attempt", reference="PAY-1")
    assert control(fake, "books")["undelivered"] == 0
    assert receiver.received.empty()
    assert control(fake, "settle")["settlement_id"].startswith("po_")
    assert [each.reference for each in captures_since(gateway_at(fake.url), datetime(2026, 1, 1, tzinfo=UTC))] == [
        "PAY-1"
    ]


def test_a_page_beside_an_open_one_of_the_same_booking_is_noted_when_it_is_made(fake: FakeStripe) -> None:
    for reference in ("PAY-1", "PAY-2"):
        ordered(fake, reference)
        gateway_at(fake.url).close_order("PAY-1")
    ordered(fake, "PAY-3")
    assert control(fake, "books")["doubles"] == ["Booking A <1>: PAY-3 beside PAY-2"]


@pytest.mark.parametrize("kind", ["429", "500", "html", "lost"])
def test_the_next_asks_meet_the_trouble_that_is_owed_to_them(fake: FakeStripe, kind: str) -> None:
    control(fake, "trouble", kind=kind, path="/sessions", times=1)
    with pytest.raises(Transient) as failed:
        ordered(fake, "PAY-1")
    assert failed.value.surely_not_sent is (kind == "429")
    was_done = kind in ("500", "lost")
    assert len(control(fake, "books")["links"]) == int(was_done)
    assert any("PAY-1" in each for each in control(fake, "journal")["sent"])


def test_what_nobody_can_do_is_refused(fake: FakeStripe) -> None:
    for action, body in {"attempt": {"reference": "PAY-1"}, "dance": {}, "trouble": {"kind": "earthquake"}}.items():
        with pytest.raises(requests.HTTPError):
            control(fake, action, **body)
