"""Stripe's own library as a witness: what the adapter sends is what it sends, and what the fake says it understands."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from math import ceil
from urllib.parse import parse_qs

import pytest
import stripe as library
from stripe._api_version import _ApiVersion

from backend.payments.stamped import sign
from backend.payments.stripe.adapter import API_VERSION, SIGNATURE_HEADER
from backend.payments.stripe.forms import LEAST_LIFE
from backend.payments.stripe.objects import REFERENCE
from tests.support.benches.stripe import StripeBench
from tests.support.fake_stripe.server import KEY, WEBHOOK_SECRET
from tests.support.relay import Sent

pytestmark = pytest.mark.sqlite_only


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeBench]:
    made = StripeBench(tmp_path_factory.mktemp("stripe"))
    yield made
    made.stop()


@pytest.fixture
def client(bench: StripeBench, monkeypatch: pytest.MonkeyPatch) -> library.StripeClient:
    """The library, asking through the same relay as the adapter."""
    monkeypatch.setattr(library, "enable_telemetry", False)
    return library.StripeClient(KEY, max_network_retries=0, base_addresses={"api": bench.relay.url})


def last_sent(bench: StripeBench, method: str) -> Sent:
    return next(each for each in reversed(bench.relay.sent) if each.method == method)


def essence(sent: Sent) -> tuple[object, ...]:
    """What Stripe reads of an ask, of which each writes the order of fields as it likes."""
    headers = {name.lower(): value for name, value in sent.headers.items()}
    names = ("authorization", "content-type", "idempotency-key", "stripe-version")
    return sent.method, sent.path, parse_qs(sent.body.decode()), [headers.get(name) for name in names]


def test_the_version_of_the_api_is_the_librarys() -> None:
    assert API_VERSION == _ApiVersion.CURRENT


def test_a_page_is_asked_for_as_the_library_does(bench: StripeBench, client: library.StripeClient) -> None:
    order = bench.new_order()
    bench.gateway.ensure_order(order)
    ours = essence(last_sent(bench, "POST"))
    assert order.expires_at is not None
    client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "client_reference_id": order.reference,
            "metadata": {REFERENCE: order.reference},
            "payment_intent_data": {"metadata": {REFERENCE: order.reference}},
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": "inr",
                        "unit_amount": order.amount_paise,
                        "product_data": {"name": order.description},
                    },
                }
            ],
            "adaptive_pricing": {"enabled": False},
            "success_url": order.return_url,
            "cancel_url": order.return_url,
            "expires_at": ceil(order.expires_at.timestamp()),
        },
        {"idempotency_key": order.reference},
    )
    assert essence(last_sent(bench, "POST")) == ours


def test_a_refund_is_asked_for_as_the_library_does(bench: StripeBench, client: library.StripeClient) -> None:
    refund = bench.new_refund(bench.paid_order())
    bench.gateway.ensure_refund(refund)
    ours = essence(last_sent(bench, "POST"))
    again = client.v1.refunds.create(
        {
            "payment_intent": refund.capture_id,
            "amount": refund.amount_paise,
            "metadata": {REFERENCE: refund.reference},
        },
        {"idempotency_key": refund.reference},
    )
    assert essence(last_sent(bench, "POST")) == ours
    assert (again.status, again.amount) == ("succeeded", 50_000)


def test_the_library_understands_the_fake(bench: StripeBench, client: library.StripeClient) -> None:
    paid = [bench.paid_order() for _ in range(3)]
    session = client.v1.checkout.sessions.retrieve(
        paid[0].gateway_order_id, {"expand": ["payment_intent.latest_charge.balance_transaction"]}
    )
    assert (session.status, session.payment_status, session.url) == ("complete", "paid", None)
    assert session.payment_intent.latest_charge.balance_transaction.fee == 3_540
    listed = client.v1.checkout.sessions.list({"status": "complete", "limit": 2}).auto_paging_iter()
    assert {each.gateway_order_id for each in paid} <= {each.id for each in listed}
    with pytest.raises(library.InvalidRequestError, match="expire"):
        client.v1.checkout.sessions.expire(session.id)
    with pytest.raises(library.IdempotencyError):
        client.v1.refunds.create(
            {"payment_intent": paid[0].capture_id, "amount": 1}, {"idempotency_key": paid[0].reference}
        )
    with pytest.raises(library.InvalidRequestError, match="expires_at"):
        client.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "success_url": "https://api.example.org/go/pay/",
                "expires_at": int(time.time() + LEAST_LIFE.total_seconds() / 2),
                "line_items": [
                    {"quantity": 1, "price_data": {"currency": "inr", "unit_amount": 1, "product_data": {"name": "x"}}}
                ],
            }
        )


def test_each_believes_the_others_signature(bench: StripeBench) -> None:
    bench.paid_order()
    body, headers = bench.deliveries()[-1]
    event = library.Webhook.construct_event(body, headers[SIGNATURE_HEADER], WEBHOOK_SECRET)
    assert event.id == json.loads(body)["id"]
    now = time.time()
    theirs = library.WebhookSignature._compute_signature(f"{int(now)}.{body.decode()}", WEBHOOK_SECRET)
    assert sign(body, WEBHOOK_SECRET, now) == f"t={int(now)},v1={theirs}"
