"""Razorpay alone: what its links mean, and what is no answer of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.core.errors import Permanent, Transient
from backend.payments.gateway import ID_LONGEST, Order, OrderState
from tests.support.benches.razorpay import RazorpayBench
from tests.support.fake_razorpay.errors import Rejected

pytestmark = pytest.mark.sqlite_only


# -- links -------------------------------------------------------------------------------------------------------------


def test_a_link_says_what_we_ask_and_not_who_pays(razorpay: RazorpayBench) -> None:
    order = razorpay.new_order()
    razorpay.gateway.ensure_order(order)
    assert order.expires_at is not None
    asked = next(json.loads(sent.body) for sent in reversed(razorpay.relay.sent) if sent.method == "POST")
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


def test_a_link_lives_sixteen_minutes_at_least_and_for_ever_if_nobody_says_when_it_ends(
    razorpay: RazorpayBench,
) -> None:
    soon = replace(razorpay.new_order(), expires_at=datetime.now(UTC) + timedelta(minutes=2))
    expires_at = razorpay.gateway.ensure_order(soon).expires_at
    assert expires_at is not None
    assert timedelta(minutes=15, seconds=50) < expires_at - datetime.now(UTC) < timedelta(minutes=16, seconds=10)
    bare = replace(razorpay.new_order(), expires_at=None, description="", return_url="")
    assert razorpay.gateway.ensure_order(bare).expires_at is None


def test_a_link_that_another_worker_made_meanwhile_is_the_orders(
    razorpay: RazorpayBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = razorpay.new_order()
    first = razorpay.gateway.ensure_order(order)
    looks = iter([[], None])  # the first look was before the other's create

    def found(reference: str) -> list[dict[str, Any]]:
        return [] if next(looks, None) == [] else real(reference)

    real = razorpay.fake.books.links_with
    monkeypatch.setattr(razorpay.fake.books, "links_with", found)
    assert razorpay.gateway.ensure_order(order) == first
    monkeypatch.setattr(razorpay.fake.books, "links_with", lambda _: [])
    with pytest.raises(Transient, match="not listed yet"):  # taken, and not found: never a second one
        razorpay.gateway.ensure_order(order)


def test_a_request_that_breaks_its_rules_is_permanent(razorpay: RazorpayBench) -> None:
    for broken in (
        replace(razorpay.new_order(), amount_paise=99),
        replace(razorpay.new_order(), reference="R" * 41),
        replace(razorpay.new_order(), return_url="nowhere"),
    ):
        with pytest.raises(Permanent, match="HTTP 400"):
            razorpay.gateway.ensure_order(broken)


def test_an_order_is_found_by_the_links_own_id_and_by_our_reference_if_that_is_gone(
    razorpay: RazorpayBench, order: Order
) -> None:
    report = razorpay.look(order)
    began = len(razorpay.relay.sent)
    assert razorpay.gateway.fetch_order(order.reference, report.gateway_order_id) == report
    assert [sent.path for sent in razorpay.relay.sent[began:]] == [f"/v1/payment_links/{report.gateway_order_id}"]
    assert razorpay.gateway.fetch_order(order.reference, "plink_unknown0000000") == report
    with pytest.raises(Transient, match="another reference"):
        razorpay.gateway.fetch_order(razorpay.new_order().reference, report.gateway_order_id)


def test_a_link_that_expires_is_closed(razorpay: RazorpayBench, order: Order) -> None:
    razorpay.fake.books.ahead = 3 * 3_600.0
    try:
        assert razorpay.look(order).state is OrderState.CLOSED
        began = len(razorpay.relay.sent)
        closed = razorpay.gateway.close_order(order.reference)
        assert closed is not None
        assert closed.state is OrderState.CLOSED
        assert {sent.method for sent in razorpay.relay.sent[began:]} == {"GET"}
    finally:
        razorpay.fake.books.ahead = 0.0


def test_a_link_that_is_paid_between_our_look_and_our_cancel_is_captured(
    razorpay: RazorpayBench, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancel = razorpay.fake.books.cancel_link

    def too_late(link_id: str) -> Any:
        razorpay.attempt(order, "captured")
        return cancel(link_id)

    monkeypatch.setattr(razorpay.fake.books, "cancel_link", too_late)
    closed = razorpay.gateway.close_order(order.reference)
    assert closed is not None
    assert closed.state is OrderState.CAPTURED


# -- answers -----------------------------------------------------------------------------------------------------------


def test_a_no_that_is_not_in_its_own_words_is_somebody_elses(
    razorpay: RazorpayBench, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = Rejected("", status=403)
    blocked.body = {"message": "blocked"}

    def refuse(_: str) -> None:
        raise blocked

    monkeypatch.setattr(razorpay.fake.books, "links_with", refuse)
    with pytest.raises(Transient, match="own words"):
        razorpay.gateway.fetch_order(order.reference)


def test_another_request_under_way_is_no_refusal(razorpay: RazorpayBench) -> None:
    order = razorpay.new_order()
    for act in (lambda: razorpay.gateway.ensure_order(order), lambda: razorpay.gateway.close_order(order.reference)):
        razorpay.fake.troubles.owe("409")
        with pytest.raises(Transient, match="in progress"):
            act()
        act()


def test_a_paid_link_is_never_told_as_open(
    razorpay: RazorpayBench, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment_id = razorpay.attempt(order, "captured")
    listed = razorpay.fake.books.links_with(order.reference)
    monkeypatch.setattr(razorpay.fake.books, "links_with", lambda _: [{**listed[0], "order_id": None}])
    assert razorpay.look(order).capture_id == payment_id
    razorpay.fake.books.payments[payment_id]["status"] = "authorized"
    with pytest.raises(Transient, match="not listed yet"):
        razorpay.look(order)


def test_a_list_of_links_that_nobody_asked_for_names_no_order(
    razorpay: RazorpayBench, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = razorpay.fake.books.links_with(order.reference)
    monkeypatch.setattr(razorpay.fake.books, "links_with", lambda _: every)
    assert razorpay.gateway.fetch_order(razorpay.new_order().reference) is None


def test_an_answer_of_another_shape_is_no_answer(
    razorpay: RazorpayBench, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    for changes in (
        {"amount": "150000"},
        {"id": "x" * (ID_LONGEST + 1)},
        {"currency": "rupees"},
        {"short_url": "h" * 2001},
    ):
        (link,) = razorpay.fake.books.links_with(order.reference)
        monkeypatch.setattr(
            razorpay.fake.books, "links_with", lambda _, link=link, changes=changes: [{**link, **changes}]
        )
        with pytest.raises(Transient, match="unreadable"):
            razorpay.gateway.fetch_order(order.reference)
        monkeypatch.undo()
