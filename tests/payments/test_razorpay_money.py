"""Razorpay alone: what its payments mean, what is given back, and what is listed."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from backend.core.errors import Permanent, Transient
from backend.payments.gateway import LastTry, Order, OrderState, RefundOrderState, captures_since
from backend.payments.razorpay import listings
from tests.support.benches.razorpay import RazorpayBench
from tests.support.fake_razorpay.errors import Rejected

pytestmark = pytest.mark.sqlite_only


# -- payments ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tries", "state", "last_try"),
    [
        ([], OrderState.OPEN, LastTry.NONE),
        (["created"], OrderState.OPEN, LastTry.PENDING),
        (["failed"], OrderState.OPEN, LastTry.DECLINED),
        (["created", "failed"], OrderState.OPEN, LastTry.PENDING),  # the first may still take the money
        (["failed", "authorized"], OrderState.AUTHORISED, LastTry.NONE),
        (["failed", "captured"], OrderState.CAPTURED, LastTry.NONE),
    ],
)
@pytest.mark.usefixtures("by_hand")
def test_what_was_tried_says_what_the_order_is(
    razorpay: RazorpayBench, order: Order, tries: list[str], state: OrderState, last_try: LastTry
) -> None:
    for status in tries:
        razorpay.attempt(order, status)
    report = razorpay.look(order)
    assert (report.state, report.last_try) == (state, last_try)


@pytest.mark.parametrize(
    ("status", "state"), [("authorized", OrderState.AUTHORISED), ("captured", OrderState.CAPTURED)]
)
@pytest.mark.usefixtures("by_hand")
def test_money_counts_more_than_a_link_that_is_closed(
    razorpay: RazorpayBench, order: Order, status: str, state: OrderState
) -> None:
    payment_id = razorpay.attempt(order, "created")
    closed = razorpay.gateway.close_order(order.reference)
    assert closed is not None
    assert (closed.state, closed.last_try) == (OrderState.CLOSED, LastTry.PENDING)
    razorpay.fake.books.become(payment_id, status)
    assert razorpay.look(order).state is state
    assert razorpay.gateway.complete_order(order.reference).state is OrderState.CAPTURED


@pytest.mark.usefixtures("by_hand")
def test_what_is_authorised_is_captured_when_it_is_completed_and_not_when_it_is_looked_at(
    razorpay: RazorpayBench, order: Order
) -> None:
    payment_id = razorpay.attempt(order, "authorized", method="card")
    assert razorpay.look(order).state is OrderState.AUTHORISED
    captured = razorpay.gateway.complete_order(order.reference)
    assert (captured.state, captured.capture_id, captured.capture.method) == (OrderState.CAPTURED, payment_id, "card")
    assert captured.capture.fee_paise == 3_540
    assert captured.capture.tax_paise == 540
    assert razorpay.gateway.complete_order(order.reference) == captured


@pytest.mark.usefixtures("by_hand")
def test_of_two_authorised_payments_one_is_captured(razorpay: RazorpayBench, order: Order) -> None:
    razorpay.attempt(order, "captured")
    second = razorpay.attempt(order, "authorized", is_forced=True)
    assert razorpay.gateway.complete_order(order.reference).state is OrderState.CAPTURED
    assert razorpay.fake.books.payment(second)["status"] == "authorized"


@pytest.mark.usefixtures("by_hand")
def test_a_sum_that_we_did_not_ask_for_is_not_captured(razorpay: RazorpayBench, order: Order) -> None:
    payment_id = razorpay.attempt(order, "authorized")
    razorpay.fake.books.payments[payment_id]["amount"] = 100
    assert razorpay.gateway.complete_order(order.reference).state is OrderState.AUTHORISED


@pytest.mark.usefixtures("by_hand")
def test_a_capture_that_somebody_else_was_faster_with_is_told(
    razorpay: RazorpayBench, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment_id = razorpay.attempt(order, "authorized")

    def faster(_payment_id: str, _body: object) -> None:
        razorpay.fake.books.become(payment_id, "captured")
        raise Rejected("This payment has already been captured")

    monkeypatch.setattr(razorpay.fake.books, "capture", faster)
    assert razorpay.gateway.complete_order(order.reference).capture_id == payment_id


def test_a_failed_payment_that_the_bank_grants_later_is_a_capture(razorpay: RazorpayBench, order: Order) -> None:
    payment_id = razorpay.attempt(order, "failed")
    assert razorpay.look(order).last_try is LastTry.DECLINED
    razorpay.fake.books.become(payment_id, "captured")
    assert razorpay.look(order).capture_id == payment_id


def test_a_second_capture_changes_no_report_and_is_listed_by_itself(razorpay: RazorpayBench, order: Order) -> None:
    razorpay.attempt(order, "captured")
    first = razorpay.look(order)
    second = razorpay.attempt(order, "captured", is_forced=True)
    razorpay.fake.books.payments[second]["created_at"] += 1  # of two that began in one second either may be told
    assert razorpay.look(order) == first
    listed = [each for each in captures_since(razorpay.gateway, datetime.now(UTC)) if each.reference == order.reference]
    assert {each.capture_id for each in listed} == {first.capture_id, second}
    assert {each.gateway_order_id for each in listed} == {first.gateway_order_id}


def test_what_went_back_by_itself_was_never_captured(razorpay: RazorpayBench, order: Order) -> None:
    payment_id = razorpay.attempt(order, "failed")
    razorpay.fake.books.payments[payment_id] |= {"status": "refunded", "captured": False}
    assert razorpay.look(order).state is OrderState.OPEN
    assert payment_id not in {each.capture_id for each in captures_since(razorpay.gateway, datetime.now(UTC))}


# -- refunds -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "said", "raised"),
    [
        (409, "Another request with the same idempotency key is still in progress.", Transient),
        (409, "Different request with the same idempotency key has already been processed.", Permanent),
        (400, "Different request with the same idempotency key has already been processed.", Permanent),
        (400, "Your account does not have enough balance to carry out the refund operation.", Transient),
        (400, "The id provided does not exist", Permanent),
    ],
)
def test_why_a_refund_is_not_taken_says_whether_to_ask_again(
    razorpay: RazorpayBench, monkeypatch: pytest.MonkeyPatch, status: int, said: str, raised: type[Exception]
) -> None:
    captured = razorpay.paid_order()

    def refuse(*_: object) -> None:
        raise Rejected(said, status=status)

    monkeypatch.setattr(razorpay.fake.books, "refund", refuse)
    with pytest.raises(raised):
        razorpay.gateway.ensure_refund(razorpay.new_refund(captured))


def test_a_refund_is_asked_under_our_reference_and_found_by_the_order_where_the_capture_is_not_known(
    razorpay: RazorpayBench,
) -> None:
    captured = razorpay.paid_order()
    refund = replace(razorpay.new_refund(captured), capture_id="")
    report = razorpay.gateway.ensure_refund(refund)
    assert report.state is RefundOrderState.DONE
    sent = next(sent for sent in reversed(razorpay.relay.sent) if sent.method == "POST")
    assert sent.headers["X-Refund-Idempotency"] == refund.reference
    assert json.loads(sent.body) == {
        "amount": 50_000,
        "receipt": refund.reference,
        "notes": {"booking_service_reference": refund.reference},
    }
    assert razorpay.gateway.ensure_refund(replace(refund, capture_id=captured.capture_id)) == report


def test_a_refund_whose_key_was_forgotten_is_found_by_its_reference(razorpay: RazorpayBench) -> None:
    refund = razorpay.new_refund(razorpay.paid_order())
    first = razorpay.gateway.ensure_refund(refund)
    razorpay.fake.books.keys.clear()
    assert razorpay.gateway.ensure_refund(refund) == first


def test_a_refund_of_what_was_never_captured_is_refused_and_of_an_unknown_order_permanent(
    razorpay: RazorpayBench, order: Order
) -> None:
    refund = razorpay.new_refund(razorpay.look(order))
    assert razorpay.gateway.ensure_refund(refund).state is RefundOrderState.REFUSED
    with pytest.raises(Permanent):
        razorpay.gateway.ensure_refund(replace(refund, payment_reference=razorpay.new_order().reference))


def test_a_refund_made_at_its_own_desk_is_listed_as_nobodys(razorpay: RazorpayBench) -> None:
    captured = razorpay.paid_order()
    razorpay.fake.books.refund(captured.capture_id, {"amount": 150_000}, None)
    (listed,) = razorpay.gateway.fetch_refunds(captured.reference, captured.gateway_order_id)
    assert (listed.reference, listed.amount_paise, listed.state) == ("", 150_000, RefundOrderState.DONE)
    assert razorpay.gateway.fetch_order(captured.reference) == captured  # all of it went back: it came all the same


# -- listings ----------------------------------------------------------------------------------------------------------


def test_listings_go_on_to_the_last_page(razorpay: RazorpayBench, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {razorpay.paid_order().capture_id for _ in range(3)}
    monkeypatch.setattr(listings, "PAGE", 1)
    monkeypatch.setattr(listings, "SETTLED_PAGE", 1)
    assert made <= {each.capture_id for each in captures_since(razorpay.gateway, datetime.now(UTC))}
    assert made <= {item.gateway_id for item in razorpay.gateway.settled_items(razorpay.settle())}
    assert any("skip=2" in sent.path for sent in razorpay.relay.sent)


def test_a_payment_that_began_days_before_it_was_captured_is_listed(razorpay: RazorpayBench, order: Order) -> None:
    payment_id = razorpay.attempt(order, "captured")
    razorpay.fake.books.payments[payment_id]["created_at"] = int(time.time()) - 4 * 86_400
    assert payment_id in {each.capture_id for each in captures_since(razorpay.gateway, datetime.now(UTC))}


def test_a_payment_without_notes_is_known_by_its_order_and_a_strangers_by_nothing(
    razorpay: RazorpayBench, order: Order
) -> None:
    ours, strange = razorpay.attempt(order, "captured"), razorpay.attempt(order, "captured", is_forced=True)
    razorpay.fake.books.payments[ours] |= {"notes": [], "description": None}
    razorpay.fake.books.payments[strange] |= {"notes": [], "description": "From a shop", "order_id": None}
    listed = {each.capture_id: each for each in captures_since(razorpay.gateway, datetime.now(UTC))}
    assert (listed[ours].reference, listed[ours].gateway_order_id) == (
        order.reference,
        razorpay.link_of(order.reference),
    )
    assert listed[strange].reference == ""
