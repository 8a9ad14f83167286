"""The fake Razorpay as demo and storm use it: its process, its page, its control door, and how it delivers webhooks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from queue import Queue
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from backend.core.errors import Transient
from backend.payments.gateway import EventKind, Order, OrderState, captures_since
from backend.payments.razorpay.adapter import Account, RazorpayGateway
from tests.support.fake_gateway import delivery
from tests.support.fake_razorpay.events import signed
from tests.support.fake_razorpay.server import KEY_ID, KEY_SECRET, WEBHOOK_SECRET, FakeRazorpay
from tests.support.gateway import PATIENCE, Receiver, until
from tests.support.server import ROOT

pytestmark = pytest.mark.sqlite_only


@pytest.fixture
def fake(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRazorpay]:
    monkeypatch.setattr(delivery, "TICK_SECONDS", 0.01)
    receiver.status, receiver.received = 200, Queue()
    made = FakeRazorpay(webhook_url=receiver.url + "/hook/", seed=7)
    yield made
    made.stop()


def gateway_at(url: str, *secrets: str) -> RazorpayGateway:
    return RazorpayGateway(Account(url, KEY_ID, KEY_SECRET, secrets or (WEBHOOK_SECRET,)))


def ordered(gateway: RazorpayGateway, reference: str) -> str:
    """The page of a new order."""
    expires_at = datetime.now(UTC) + timedelta(hours=1)
    return gateway.ensure_order(
        Order(reference, 100_000, "INR", "Booking A <1>", "https://api.example.org/go/pay/?booking=1", expires_at)
    ).pay_url


def control(fake: FakeRazorpay, action: str, **body: Any) -> Any:
    answer = requests.post(f"{fake.url}/_control/{action}", json=body, timeout=PATIENCE)
    answer.raise_for_status()
    return answer.json()


def arrived(receiver: Receiver, count: int) -> list[tuple[bytes, dict[str, str]]]:
    return [receiver.received.get(timeout=PATIENCE)[1:] for _ in range(count)]


def test_its_process_says_how_it_is_asked_and_ends_when_told() -> None:
    command = [sys.executable, "-m", "tests.support.fake_razorpay", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = dict(process.stdout.readline().strip().split("=", 1) for _ in range(4))
        try:
            account = Account(said["RAZORPAY_URL"], said["RAZORPAY_KEY_ID"], said["RAZORPAY_KEY_SECRET"], ())
            assert RazorpayGateway(account).fetch_order("PAY-1") is None
        finally:
            process.terminate()
    assert process.returncode == 0


def test_its_page_takes_money_and_leads_back_with_a_signed_query(fake: FakeRazorpay) -> None:
    gateway = gateway_at(fake.url)
    page = ordered(gateway, "PAY-1")
    shown = requests.get(page, timeout=PATIENCE).text
    assert "1,000.00" in shown
    assert "Booking A &lt;1&gt;" in shown
    assert "declined" in requests.post(page, data={"choice": "decline"}, timeout=PATIENCE).text
    paid = requests.post(page, data={"choice": "pay"}, timeout=PATIENCE, allow_redirects=False)
    assert paid.status_code == 303
    assert paid.headers["Location"].startswith("https://api.example.org/go/pay/?booking=1&razorpay_payment_id=pay_")
    query = {name: values[0] for name, values in parse_qs(urlsplit(paid.headers["Location"]).query).items()}
    message = "|".join(
        query[f"razorpay_{name}"]
        for name in ("payment_link_id", "payment_link_reference_id", "payment_link_status", "payment_id")
    )
    assert query["razorpay_signature"] == signed(message.encode(), KEY_SECRET)
    assert "takes no money" not in requests.get(page, timeout=PATIENCE).text
    assert gateway.complete_order("PAY-1").state is OrderState.CAPTURED


def test_a_bank_that_answers_later_does(fake: FakeRazorpay) -> None:
    gateway = gateway_at(fake.url)
    page = ordered(gateway, "PAY-1")
    assert "not answered" in requests.post(page, data={"choice": "later"}, timeout=PATIENCE).text
    assert gateway.complete_order("PAY-1").state is OrderState.OPEN
    control(fake, "ahead", seconds=21)
    assert gateway.complete_order("PAY-1").state is OrderState.CAPTURED


def test_its_events_come_as_often_and_in_any_order_as_it_is_told(fake: FakeRazorpay, receiver: Receiver) -> None:
    control(fake, "webhooks", copies=3, shuffled=True)
    gateway = gateway_at(fake.url)
    ordered(gateway, "PAY-1")
    control(fake, "attempt", reference="PAY-1")
    events = [gateway.read_event(body, headers) for body, headers in arrived(receiver, 12)]
    assert sorted({event.event_id for event in events}) == sorted({webhook.event_id for webhook in fake_events(fake)})
    assert [event.kind for event in events].count(EventKind.ORDER_CAPTURED) == 9
    until(lambda: control(fake, "books")["undelivered"] == 0)


def fake_events(fake: FakeRazorpay) -> list[Any]:
    return fake.books.outbox.webhooks


def test_an_event_that_was_refused_comes_again_with_the_secret_that_it_was_made_with(
    fake: FakeRazorpay, receiver: Receiver
) -> None:
    receiver.status = 400
    ordered(gateway_at(fake.url), "PAY-1")
    control(fake, "attempt", reference="PAY-1", status="failed")
    ((body, headers),) = arrived(receiver, 1)
    control(fake, "webhooks", secret="another-webhook-secret")
    control(fake, "ahead", seconds=2)
    receiver.status = 200
    ((again, with_headers),) = arrived(receiver, 1)
    assert (again, with_headers["X-Razorpay-Signature"]) == (body, headers["X-Razorpay-Signature"])
    rotated = gateway_at(fake.url, "another-webhook-secret", WEBHOOK_SECRET)
    assert rotated.read_event(again, with_headers).kind is EventKind.ORDER_TOUCHED


def test_after_a_day_of_refusals_it_tells_nobody_until_somebody_enables_it(
    fake: FakeRazorpay, receiver: Receiver
) -> None:
    receiver.status = 500
    ordered(gateway_at(fake.url), "PAY-1")
    control(fake, "attempt", reference="PAY-1", status="failed")
    arrived(receiver, 1)
    control(fake, "ahead", seconds=86_401)
    until(lambda: fake.manner.is_disabled)
    receiver.status = 200
    control(fake, "webhooks", disabled=False)
    control(fake, "attempt", reference="PAY-1", status="failed", force=True)
    until(lambda: control(fake, "books")["undelivered"] == 0)


def test_what_happens_silently_is_told_nobody_and_stands_in_its_listings(fake: FakeRazorpay) -> None:
    gateway = gateway_at(fake.url)
    ordered(gateway, "PAY-1")
    control(fake, "webhooks", silent=True)
    control(fake, "attempt", reference="PAY-1")
    assert control(fake, "books")["undelivered"] == 0
    (captured,) = captures_since(gateway, datetime.now(UTC))
    assert captured.reference == "PAY-1"


def test_a_page_beside_an_open_one_of_the_same_booking_is_noted_when_it_is_made(fake: FakeRazorpay) -> None:
    gateway = gateway_at(fake.url)
    ordered(gateway, "PAY-1")
    ordered(gateway, "PAY-2")
    gateway.close_order("PAY-1")
    gateway.close_order("PAY-2")
    ordered(gateway, "PAY-3")
    assert control(fake, "books")["doubles"] == ["Booking A <1>: PAY-2 beside PAY-1"]


def test_one_payment_alone_is_kept_silent(fake: FakeRazorpay, receiver: Receiver) -> None:
    gateway = gateway_at(fake.url)
    for reference in ("PAY-1", "PAY-2"):
        ordered(gateway, reference)
        control(fake, "attempt", reference=reference, silent=reference == "PAY-1")
    until(lambda: control(fake, "books")["undelivered"] == 0)
    told = {gateway.read_event(body, headers).reference for body, headers in arrived(receiver, 4)}
    assert "PAY-1" not in told


def test_a_trouble_is_met_once_by_who_asks_there(fake: FakeRazorpay) -> None:
    gateway = gateway_at(fake.url)
    for kind in ("429", "500", "html", "lost"):
        control(fake, "trouble", kind=kind, path="payment_links")
        with pytest.raises(Transient):
            gateway.fetch_order("PAY-1")
        assert gateway.fetch_order("PAY-1") is None
    assert len(control(fake, "journal")["sent"]) == 8


@pytest.mark.parametrize(
    ("action", "body"), [("nothing", {}), ("attempt", {"reference": "PAY-0"}), ("trouble", {"kind": "flood"})]
)
def test_the_control_door_refuses_what_makes_no_sense(fake: FakeRazorpay, action: str, body: dict[str, str]) -> None:
    assert requests.post(f"{fake.url}/_control/{action}", json=body, timeout=PATIENCE).status_code == 400
