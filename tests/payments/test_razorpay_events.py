"""Razorpay's webhooks: which secret signed them, and what each tells us."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from backend.core.errors import Refused
from backend.payments.gateway import ID_LONGEST, Event, EventKind, OrderState
from backend.payments.razorpay.signatures import sign
from tests.support.benches.razorpay import RazorpayBench
from tests.support.fake_razorpay.server import ACCOUNT_ID, WEBHOOK_SECRET

pytestmark = pytest.mark.sqlite_only
Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def told(razorpay: RazorpayBench) -> dict[str, bytes]:
    """Every kind of event about one order: its name, and its body."""
    first = len(razorpay.fake.books.outbox.webhooks)
    captured = razorpay.paid_order()
    link_id = razorpay.link_of(captured.reference)
    failed = razorpay.fake.books.attempt(link_id, "failed", is_forced=True)
    assert failed is not None
    razorpay.gateway.ensure_refund(razorpay.new_refund(captured))
    razorpay.refuse_refunds(captured.reference)
    razorpay.gateway.ensure_refund(razorpay.new_refund(captured))
    razorpay.finish_refunds()
    cancelled = razorpay.new_order()
    razorpay.gateway.ensure_order(cancelled)
    razorpay.gateway.close_order(cancelled.reference)
    return {webhook.event: webhook.body for webhook in razorpay.fake.books.outbox.webhooks[first:]}


def read(razorpay: RazorpayBench, body: bytes, *, event_id: str = "evt", secret: str = WEBHOOK_SECRET) -> Event:
    headers = {"X-Razorpay-Signature": sign(body, secret), "X-Razorpay-Event-Id": event_id}
    return razorpay.gateway.read_event(body, headers)


def changed(body: bytes, change: Change) -> bytes:
    event = json.loads(body)
    change(event)
    return json.dumps(event).encode()


def entity(event: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = event["payload"][name]["entity"]
    return found


def test_each_kind_says_what_we_act_on(razorpay: RazorpayBench, told: dict[str, bytes]) -> None:
    events = {name: read(razorpay, body) for name, body in told.items()}
    assert {name: event.kind for name, event in events.items()} == {
        "payment.authorized": EventKind.ORDER_TOUCHED,
        "payment.captured": EventKind.ORDER_CAPTURED,
        "order.paid": EventKind.ORDER_CAPTURED,
        "payment_link.paid": EventKind.ORDER_CAPTURED,
        "payment.failed": EventKind.ORDER_TOUCHED,
        "refund.created": EventKind.OTHER,
        "refund.processed": EventKind.REFUND_DONE,
        "refund.failed": EventKind.REFUND_REFUSED,
        "payment_link.cancelled": EventKind.ORDER_TOUCHED,
    }
    reports = [event.report for event in events.values() if event.kind is EventKind.ORDER_CAPTURED]
    assert len({(report.reference, report.gateway_order_id, report.capture_id) for report in reports if report}) == 1
    (paid,) = {events["payment_link.paid"].report}
    assert paid is not None
    assert (paid.state, paid.amount_paise, paid.currency) == (OrderState.CAPTURED, 150_000, "INR")
    assert (paid.capture.method, paid.capture.fee_paise, paid.capture.tax_paise) == ("upi", 3_540, 540)
    touched = {event.reference for event in events.values() if event.kind is EventKind.ORDER_TOUCHED}
    assert paid.reference in touched


@pytest.mark.parametrize(
    ("event", "change", "kind"),
    [
        # a link that somebody made at Razorpay's own desk
        ("payment_link.paid", lambda event: entity(event, "payment_link").update(notes=None), EventKind.OTHER),
        ("payment_link.cancelled", lambda event: entity(event, "payment_link").update(notes=[]), EventKind.OTHER),
        ("payment.captured", lambda event: entity(event, "payment").update(notes=[]), EventKind.OTHER),
        ("payment.failed", lambda event: entity(event, "payment").update(notes={"reference": "x"}), EventKind.OTHER),
        # ours, but not enough is said: it is asked after
        ("payment.captured", lambda event: entity(event, "payment").update(description="x"), EventKind.ORDER_TOUCHED),
        ("payment_link.paid", lambda event: entity(event, "payment").update(status="x"), EventKind.ORDER_TOUCHED),
        # a refund that was made there
        ("refund.processed", lambda event: entity(event, "refund").update(receipt=None), EventKind.REFUND_DONE),
        (
            "refund.processed",
            lambda event: entity(event, "refund").update(receipt=None, notes=[]),
            EventKind.ORDER_TOUCHED,
        ),
        ("refund.processed", lambda event: entity(event, "refund").update(status="pending"), EventKind.OTHER),
        ("order.paid", lambda event: event.update(event="order.notification"), EventKind.OTHER),
        # texts that fit no column of ours
        (
            "payment.captured",
            lambda event: entity(event, "payment").update(id="x" * (ID_LONGEST + 1)),
            EventKind.UNREADABLE,
        ),
        ("payment_link.paid", lambda event: entity(event, "payment_link").update(id="c\0"), EventKind.UNREADABLE),
        ("refund.failed", lambda event: entity(event, "refund").update(receipt="\ud800"), EventKind.UNREADABLE),
        ("order.paid", lambda event: event.update(event="e" * (ID_LONGEST + 1)), EventKind.UNREADABLE),
    ],
)
def test_what_is_not_ours_or_says_too_little_claims_nothing(
    razorpay: RazorpayBench, told: dict[str, bytes], event: str, change: Change, kind: EventKind
) -> None:
    found = read(razorpay, changed(told[event], change))
    assert found.kind is kind
    assert (found.report is None) is (kind is not EventKind.ORDER_CAPTURED)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b'{"event": "payment_link.paid"}',
        b'{"event": 5}',
        b'{"event": "payment.captured", "payload": {"payment": {"entity": {"id": "pay_1", "status": "captured"}}}}',
    ],
)
def test_a_signed_body_of_another_shape_is_kept_and_says_why(razorpay: RazorpayBench, body: bytes) -> None:
    found = razorpay.gateway.read_event(body, {"x-razorpay-signature": sign(body, WEBHOOK_SECRET)})
    assert (found.kind, bool(found.why), found.event_id[:7]) == (EventKind.UNREADABLE, True, "sha256:")


def test_an_event_of_another_account_is_kept_and_believed_in_nothing(
    razorpay: RazorpayBench, told: dict[str, bytes]
) -> None:
    body = changed(told["payment_link.paid"], lambda event: event.update(account_id="acc_another00000"))
    foreign = read(razorpay, body)
    assert (foreign.kind, foreign.report, bool(foreign.why)) == (EventKind.UNREADABLE, None, True)
    headers = {"x-razorpay-signature": sign(body, WEBHOOK_SECRET)}
    assert razorpay.made(account_id="").read_event(body, headers).kind is EventKind.ORDER_CAPTURED
    assert read(razorpay, told["payment_link.paid"]).why == ""
    assert ACCOUNT_ID.encode() in told["payment_link.paid"]


def test_an_event_is_known_by_its_header_else_by_its_body(razorpay: RazorpayBench, told: dict[str, bytes]) -> None:
    body = told["order.paid"]
    assert read(razorpay, body, event_id="OSrnVh2rWq1A7B").event_id == "OSrnVh2rWq1A7B"
    headers = {"x-razorpay-signature": sign(body, WEBHOOK_SECRET)}
    nameless = [razorpay.gateway.read_event(body, headers).event_id for _ in range(2)]
    assert len(set(nameless)) == 1
    others = {read(razorpay, body, event_id=odd).event_id for odd in ("x" * (ID_LONGEST + 1), "a\x00", "\udce9")}
    assert len(others | set(nameless)) == 4
    assert all(name.startswith("sha256:") and len(name) <= ID_LONGEST for name in others | set(nameless))


def test_the_secret_before_counts_while_it_is_configured(razorpay: RazorpayBench, told: dict[str, bytes]) -> None:
    body = told["order.paid"]
    headers = {"x-razorpay-signature": sign(body, WEBHOOK_SECRET)}
    rotated = razorpay.made(secrets=("the-new-secret", WEBHOOK_SECRET))
    assert rotated.read_event(body, headers).kind is EventKind.ORDER_CAPTURED
    assert rotated.read_event(body, {"x-razorpay-signature": sign(body, "the-new-secret")}).report is not None
    for secrets in (("the-new-secret", ""), ("", "")):  # none, so that nobody can sign with nothing
        for signature in (sign(body, WEBHOOK_SECRET), sign(body, "")):
            with pytest.raises(Refused):
                razorpay.made(secrets=secrets).read_event(body, {"x-razorpay-signature": signature})
