"""Razorpay alone: what its links and payments mean, and what its documentation warns of."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.core.errors import Permanent, Transient
from backend.payments.gateway import LastTry, Order, OrderReport, OrderState, RefundOrderState, captures_since
from backend.payments.razorpay import listings
from tests.support.benches.razorpay import RazorpayBench
from tests.support.fake_razorpay.errors import Rejected

pytestmark = pytest.mark.sqlite_only


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RazorpayBench]:
    made = RazorpayBench(Path())
    yield made
    made.stop()


@pytest.fixture
def order(bench: RazorpayBench) -> Order:
    """One that has a link."""
    order = bench.new_order()
    bench.gateway.ensure_order(order)
    return order


def look(bench: RazorpayBench, order: Order) -> OrderReport:
    report = bench.gateway.fetch_order(order.reference)
    assert report is not None
    return report


def attempt(bench: RazorpayBench, order: Order, status: str, **more: Any) -> str:
    """The id of a payment that the visitor tried."""
    payment = bench.fake.books.attempt(bench.link_of(order.reference), status, **more)
    assert payment is not None
    return str(payment["id"])


@pytest.fixture
def by_hand(bench: RazorpayBench) -> Iterator[None]:
    """An account that does not capture by itself."""
    bench.fake.books.captures_by_itself = False
    yield
    bench.fake.books.captures_by_itself = True


# -- links ------------------------------------------------------------------------------------------------------------


def test_a_link_says_what_we_ask_and_not_who_pays(bench: RazorpayBench) -> None:
    order = bench.new_order()
    bench.gateway.ensure_order(order)
    assert order.expires_at is not None
    asked = next(json.loads(sent.body) for sent in reversed(bench.relay.sent) if sent.method == "POST")
    expire_by = asked.pop("expire_by")
    assert 0 <= expire_by - order.expires_at.timestamp() <= 1
    assert asked == {
        "amount": 150_000,
        "currency": "INR",
        "accept_partial": False,
        "reference_id": order.reference,
        "notes": {"booking_service_reference": order.reference},
        "notify": {"sms": False, "email": False},
        "reminder_enable": False,
        "description": order.description,
        "callback_url": order.return_url,
        "callback_method": "get",
    }


def test_a_link_lives_sixteen_minutes_at_least_and_for_ever_if_nobody_says_when_it_ends(bench: RazorpayBench) -> None:
    soon = replace(bench.new_order(), expires_at=datetime.now(UTC) + timedelta(minutes=2))
    expires_at = bench.gateway.ensure_order(soon).expires_at
    assert expires_at is not None
    assert timedelta(minutes=15, seconds=50) < expires_at - datetime.now(UTC) < timedelta(minutes=16, seconds=10)
    bare = replace(bench.new_order(), expires_at=None, description="", return_url="")
    assert bench.gateway.ensure_order(bare).expires_at is None


def test_a_link_that_another_worker_made_meanwhile_is_the_orders(
    bench: RazorpayBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = bench.new_order()
    first = bench.gateway.ensure_order(order)
    looks = iter([[], None])  # the first look was before the other's create

    def found(reference: str) -> list[dict[str, Any]]:
        return [] if next(looks, None) == [] else real(reference)

    real = bench.fake.books.links_with
    monkeypatch.setattr(bench.fake.books, "links_with", found)
    assert bench.gateway.ensure_order(order) == first
    monkeypatch.setattr(bench.fake.books, "links_with", lambda _: [])
    with pytest.raises(Transient, match="not listed yet"):  # taken, and not found: never a second one
        bench.gateway.ensure_order(order)


def test_a_request_that_breaks_its_rules_is_permanent(bench: RazorpayBench) -> None:
    for broken in (
        replace(bench.new_order(), amount_paise=99),
        replace(bench.new_order(), reference="R" * 41),
        replace(bench.new_order(), return_url="nowhere"),
    ):
        with pytest.raises(Permanent, match="HTTP 400"):
            bench.gateway.ensure_order(broken)


def test_an_order_is_found_by_the_links_own_id_and_by_our_reference_if_that_is_gone(
    bench: RazorpayBench, order: Order
) -> None:
    report = look(bench, order)
    began = len(bench.relay.sent)
    assert bench.gateway.fetch_order(order.reference, report.gateway_order_id) == report
    assert [sent.path for sent in bench.relay.sent[began:]] == [f"/v1/payment_links/{report.gateway_order_id}"]
    assert bench.gateway.fetch_order(order.reference, "plink_unknown0000000") == report
    with pytest.raises(Transient, match="another reference"):
        bench.gateway.fetch_order(bench.new_order().reference, report.gateway_order_id)


def test_a_link_that_expires_is_closed(bench: RazorpayBench, order: Order) -> None:
    bench.fake.books.ahead = 3 * 3_600.0
    try:
        assert look(bench, order).state is OrderState.CLOSED
        began = len(bench.relay.sent)
        closed = bench.gateway.close_order(order.reference)
        assert closed is not None
        assert closed.state is OrderState.CLOSED
        assert {sent.method for sent in bench.relay.sent[began:]} == {"GET"}
    finally:
        bench.fake.books.ahead = 0.0


def test_a_link_that_is_paid_between_our_look_and_our_cancel_is_captured(
    bench: RazorpayBench, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel = bench.fake.books.cancel_link

    def too_late(link_id: str) -> Any:
        attempt(bench, order, "captured")
        return cancel(link_id)

    monkeypatch.setattr(bench.fake.books, "cancel_link", too_late)
    closed = bench.gateway.close_order(order.reference)
    assert closed is not None
    assert closed.state is OrderState.CAPTURED


# -- payments ---------------------------------------------------------------------------------------------------------


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
    bench: RazorpayBench, order: Order, tries: list[str], state: OrderState, last_try: LastTry
) -> None:
    for status in tries:
        attempt(bench, order, status)
    report = look(bench, order)
    assert (report.state, report.last_try) == (state, last_try)


@pytest.mark.parametrize(
    ("status", "state"), [("authorized", OrderState.AUTHORISED), ("captured", OrderState.CAPTURED)]
)
@pytest.mark.usefixtures("by_hand")
def test_money_counts_more_than_a_link_that_is_closed(
    bench: RazorpayBench, order: Order, status: str, state: OrderState
) -> None:
    payment_id = attempt(bench, order, "created")
    closed = bench.gateway.close_order(order.reference)
    assert closed is not None
    assert (closed.state, closed.last_try) == (OrderState.CLOSED, LastTry.PENDING)
    bench.fake.books.become(payment_id, status)
    assert look(bench, order).state is state
    assert bench.gateway.complete_order(order.reference).state is OrderState.CAPTURED


@pytest.mark.usefixtures("by_hand")
def test_what_is_authorised_is_captured_when_it_is_completed_and_not_when_it_is_looked_at(
    bench: RazorpayBench, order: Order
) -> None:
    payment_id = attempt(bench, order, "authorized", method="card")
    assert look(bench, order).state is OrderState.AUTHORISED
    captured = bench.gateway.complete_order(order.reference)
    assert (captured.state, captured.capture_id, captured.capture.method) == (OrderState.CAPTURED, payment_id, "card")
    assert captured.capture.fee_paise == 3_540
    assert captured.capture.tax_paise == 540
    assert bench.gateway.complete_order(order.reference) == captured


@pytest.mark.usefixtures("by_hand")
def test_of_two_authorised_payments_one_is_captured(bench: RazorpayBench, order: Order) -> None:
    attempt(bench, order, "captured")
    second = attempt(bench, order, "authorized", is_forced=True)
    assert bench.gateway.complete_order(order.reference).state is OrderState.CAPTURED
    assert bench.fake.books.payment(second)["status"] == "authorized"


@pytest.mark.usefixtures("by_hand")
def test_a_sum_that_we_did_not_ask_for_is_not_captured(bench: RazorpayBench, order: Order) -> None:
    payment_id = attempt(bench, order, "authorized")
    bench.fake.books.payments[payment_id]["amount"] = 100
    assert bench.gateway.complete_order(order.reference).state is OrderState.AUTHORISED


@pytest.mark.usefixtures("by_hand")
def test_a_capture_that_somebody_else_was_faster_with_is_told(
    bench: RazorpayBench, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment_id = attempt(bench, order, "authorized")

    def faster(_payment_id: str, _body: object) -> None:
        bench.fake.books.become(payment_id, "captured")
        raise Rejected("This payment has already been captured")

    monkeypatch.setattr(bench.fake.books, "capture", faster)
    assert bench.gateway.complete_order(order.reference).capture_id == payment_id


def test_a_failed_payment_that_the_bank_grants_later_is_a_capture(bench: RazorpayBench, order: Order) -> None:
    payment_id = attempt(bench, order, "failed")
    assert look(bench, order).last_try is LastTry.DECLINED
    bench.fake.books.become(payment_id, "captured")
    assert look(bench, order).capture_id == payment_id


def test_a_second_capture_changes_no_report_and_is_listed_by_itself(bench: RazorpayBench, order: Order) -> None:
    attempt(bench, order, "captured")
    first = look(bench, order)
    second = attempt(bench, order, "captured", is_forced=True)
    bench.fake.books.payments[second]["created_at"] += 1  # of two that began in one second either may be told
    assert look(bench, order) == first
    listed = [each for each in captures_since(bench.gateway, datetime.now(UTC)) if each.reference == order.reference]
    assert {each.capture_id for each in listed} == {first.capture_id, second}
    assert {each.gateway_order_id for each in listed} == {first.gateway_order_id}


def test_what_went_back_by_itself_was_never_captured(bench: RazorpayBench, order: Order) -> None:
    payment_id = attempt(bench, order, "failed")
    bench.fake.books.payments[payment_id] |= {"status": "refunded", "captured": False}
    assert look(bench, order).state is OrderState.OPEN
    assert payment_id not in {each.capture_id for each in captures_since(bench.gateway, datetime.now(UTC))}


# -- refunds ----------------------------------------------------------------------------------------------------------


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
    bench: RazorpayBench, monkeypatch: pytest.MonkeyPatch, status: int, said: str, raised: type[Exception]
) -> None:
    captured = bench.paid_order()

    def refuse(*_: object) -> None:
        raise Rejected(said, status=status)

    monkeypatch.setattr(bench.fake.books, "refund", refuse)
    with pytest.raises(raised):
        bench.gateway.ensure_refund(bench.new_refund(captured))


def test_a_refund_is_asked_under_our_reference_and_found_by_the_order_where_the_capture_is_not_known(
    bench: RazorpayBench,
) -> None:
    captured = bench.paid_order()
    refund = replace(bench.new_refund(captured), capture_id="")
    report = bench.gateway.ensure_refund(refund)
    assert report.state is RefundOrderState.DONE
    sent = next(sent for sent in reversed(bench.relay.sent) if sent.method == "POST")
    assert sent.headers["X-Refund-Idempotency"] == refund.reference
    assert json.loads(sent.body) == {
        "amount": 50_000,
        "receipt": refund.reference,
        "notes": {"booking_service_reference": refund.reference},
    }
    assert bench.gateway.ensure_refund(replace(refund, capture_id=captured.capture_id)) == report


def test_a_refund_whose_key_was_forgotten_is_found_by_its_reference(bench: RazorpayBench) -> None:
    refund = bench.new_refund(bench.paid_order())
    first = bench.gateway.ensure_refund(refund)
    bench.fake.books.keys.clear()
    assert bench.gateway.ensure_refund(refund) == first


def test_a_refund_of_what_was_never_captured_is_refused_and_of_an_unknown_order_permanent(
    bench: RazorpayBench, order: Order
) -> None:
    refund = bench.new_refund(look(bench, order))
    assert bench.gateway.ensure_refund(refund).state is RefundOrderState.REFUSED
    with pytest.raises(Permanent):
        bench.gateway.ensure_refund(replace(refund, payment_reference=bench.new_order().reference))


def test_a_refund_made_at_its_own_desk_is_listed_as_nobodys(bench: RazorpayBench) -> None:
    captured = bench.paid_order()
    bench.fake.books.refund(captured.capture_id, {"amount": 150_000}, None)
    (listed,) = bench.gateway.fetch_refunds(captured.reference, captured.gateway_order_id)
    assert (listed.reference, listed.amount_paise, listed.state) == ("", 150_000, RefundOrderState.DONE)
    assert bench.gateway.fetch_order(captured.reference) == captured  # all of it went back: it came all the same


# -- listings ---------------------------------------------------------------------------------------------------------


def test_listings_go_on_to_the_last_page(bench: RazorpayBench, monkeypatch: pytest.MonkeyPatch) -> None:
    made = {bench.paid_order().capture_id for _ in range(3)}
    monkeypatch.setattr(listings, "PAGE", 1)
    monkeypatch.setattr(listings, "SETTLED_PAGE", 1)
    assert made <= {each.capture_id for each in captures_since(bench.gateway, datetime.now(UTC))}
    assert made <= {item.gateway_id for item in bench.gateway.settled_items(bench.settle())}
    assert any("skip=2" in sent.path for sent in bench.relay.sent)


def test_a_payment_that_began_days_before_it_was_captured_is_listed(bench: RazorpayBench, order: Order) -> None:
    payment_id = attempt(bench, order, "captured")
    bench.fake.books.payments[payment_id]["created_at"] = int(time.time()) - 4 * 86_400
    assert payment_id in {each.capture_id for each in captures_since(bench.gateway, datetime.now(UTC))}


def test_a_payment_without_notes_is_known_by_its_order_and_a_strangers_by_nothing(
    bench: RazorpayBench, order: Order
) -> None:
    ours, strange = attempt(bench, order, "captured"), attempt(bench, order, "captured", is_forced=True)
    bench.fake.books.payments[ours] |= {"notes": [], "description": None}
    bench.fake.books.payments[strange] |= {"notes": [], "description": "From a shop", "order_id": None}
    listed = {each.capture_id: each for each in captures_since(bench.gateway, datetime.now(UTC))}
    assert (listed[ours].reference, listed[ours].gateway_order_id) == (order.reference, bench.link_of(order.reference))
    assert listed[strange].reference == ""


def test_a_no_that_is_not_in_its_own_words_is_somebody_elses(
    bench: RazorpayBench, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = Rejected("", status=403)
    blocked.body = {"message": "blocked"}

    def refuse(_: str) -> None:
        raise blocked

    monkeypatch.setattr(bench.fake.books, "links_with", refuse)
    with pytest.raises(Transient, match="own words"):
        bench.gateway.fetch_order(order.reference)


def test_a_paid_link_is_never_told_as_open(bench: RazorpayBench, order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    payment_id = attempt(bench, order, "captured")
    listed = bench.fake.books.links_with(order.reference)
    monkeypatch.setattr(bench.fake.books, "links_with", lambda _: [{**listed[0], "order_id": None}])
    assert look(bench, order).capture_id == payment_id
    bench.fake.books.payments[payment_id]["status"] = "authorized"
    with pytest.raises(Transient, match="not listed yet"):
        look(bench, order)


def test_a_list_of_links_that_nobody_asked_for_names_no_order(
    bench: RazorpayBench, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = bench.fake.books.links_with(order.reference)
    monkeypatch.setattr(bench.fake.books, "links_with", lambda _: every)
    assert bench.gateway.fetch_order(bench.new_order().reference) is None


def test_an_answer_of_another_shape_is_no_answer(
    bench: RazorpayBench, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    for changes in ({"amount": "150000"}, {"id": "x" * 81}, {"currency": "rupees"}, {"short_url": "h" * 2001}):
        (link,) = bench.fake.books.links_with(order.reference)
        monkeypatch.setattr(bench.fake.books, "links_with", lambda _, link=link, changes=changes: [{**link, **changes}])
        with pytest.raises(Transient, match="unreadable"):
            bench.gateway.fetch_order(order.reference)
        monkeypatch.undo()
