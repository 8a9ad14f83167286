"""What the protocol promises, asked of every adapter: each speaks to its fake gateway through a relay."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from backend.core.errors import AccountTrouble, Code, Permanent, Refused, Transient
from backend.core.outgoing.fields import Fields
from backend.payments import written
from backend.payments.gateway import (
    ID_LONGEST,
    URL_LONGEST,
    Event,
    EventKind,
    LastTry,
    OrderReport,
    OrderState,
    RefundOrderState,
    capture_pages,
    captures_since,
)
from tests.support import discretion, junk
from tests.support.benches.bench import Bench, Delivery
from tests.support.relay import TROUBLES, Trouble

pytestmark = pytest.mark.sqlite_only


def told(bench: Bench, reference: str) -> list[Event]:
    """The events that the gateway has to tell of an order or a refund."""
    events = [bench.gateway.read_event(*delivery) for delivery in bench.deliveries()]
    return [event for event in events if reference_of(event) == reference]


def reference_of(event: Event) -> str:
    subject = event.report or event.refund
    return subject.reference if subject else event.reference


# -- orders -----------------------------------------------------------------------------------------------------------


def test_an_order_asked_for_twice_is_one_open_order(bench: Bench) -> None:
    order = bench.new_order()
    first = bench.gateway.ensure_order(order)
    assert (first.reference, first.amount_paise, first.currency) == (order.reference, 150_000, "INR")
    assert (first.state, first.capture_id, first.last_try) == (OrderState.OPEN, "", LastTry.NONE)
    assert 0 < len(first.gateway_order_id) <= ID_LONGEST
    assert bench.gateway.ensure_order(order) == first
    assert bench.gateway.fetch_order(order.reference) == first
    assert bench.gateway.fetch_order(order.reference, first.gateway_order_id) == first
    assert bench.orders_of(order.reference) == 1


def test_who_has_pages_says_where_and_until_when(bench: Bench) -> None:
    order = bench.new_order()
    report = bench.gateway.ensure_order(order)
    assert bool(report.pay_url) is bench.gateway.has_pages
    assert len(report.pay_url) <= URL_LONGEST
    if bench.gateway.has_pages:
        assert order.expires_at is not None
        assert report.expires_at is not None
        assert timedelta(0) <= report.expires_at - order.expires_at <= timedelta(seconds=1)


def test_an_order_about_to_expire_is_given_the_least_time_that_the_gateway_takes(bench: Bench) -> None:
    order = replace(bench.new_order(), expires_at=datetime.now(UTC) + timedelta(minutes=1))
    assert bench.gateway.ensure_order(order).state == OrderState.OPEN


def test_the_same_reference_with_another_sum_or_currency_is_refused(bench: Bench) -> None:
    order = bench.new_order()
    report = bench.gateway.ensure_order(order)
    for other in (replace(order, amount_paise=150_001), replace(order, currency="USD")):
        with pytest.raises(Permanent):
            bench.gateway.ensure_order(other)
    assert bench.gateway.fetch_order(order.reference) == report


def test_an_order_that_nobody_asked_for_is_none(bench: Bench) -> None:
    reference = bench.new_order().reference
    assert bench.gateway.fetch_order(reference) is None
    assert bench.gateway.close_order(reference) is None
    assert list(bench.gateway.fetch_refunds(reference)) == []
    with pytest.raises(Permanent):
        bench.gateway.complete_order(reference)


def test_an_order_whose_answer_was_lost_is_found_again(bench: Bench) -> None:
    order = bench.new_order()
    with bench.relay.making(Trouble.LOST), pytest.raises(Transient) as lost:
        bench.gateway.ensure_order(order)
    assert not lost.value.surely_not_sent
    assert bench.gateway.ensure_order(order).state == OrderState.OPEN
    assert bench.orders_of(order.reference) == 1


def test_a_paid_order_is_captured_and_told_as_it_is(bench: Bench) -> None:
    order = bench.new_order()
    opened = bench.gateway.ensure_order(order)
    assert bench.pay(order.reference)
    captured = bench.gateway.complete_order(order.reference)
    assert (captured.state, captured.amount_paise, captured.currency) == (OrderState.CAPTURED, 150_000, "INR")
    assert captured.gateway_order_id == opened.gateway_order_id
    assert 0 < len(captured.capture_id) <= ID_LONGEST
    assert captured.capture.captured_at is not None
    assert bench.gateway.complete_order(order.reference) == captured
    assert bench.gateway.fetch_order(order.reference) == captured
    assert bench.gateway.ensure_order(order) == captured
    reports = [event.report for event in told(bench, order.reference) if event.kind is EventKind.ORDER_CAPTURED]
    assert reports
    assert {essence(report) for report in reports if report} == {essence(captured)}


def essence(report: OrderReport) -> tuple[object, ...]:
    """What the lifecycle acts on; an event may lack the rest."""
    return report.gateway_order_id, report.state, report.amount_paise, report.currency, report.capture_id


def test_a_declined_try_is_told_and_another_may_pay(bench: Bench) -> None:
    order = bench.new_order()
    bench.gateway.ensure_order(order)
    bench.decline(order.reference)
    declined = bench.gateway.complete_order(order.reference)
    is_told = declined.state is OrderState.DECLINED or declined.last_try is LastTry.DECLINED
    assert (is_told, declined.capture_id) == (True, "")
    assert bench.pay(order.reference)
    assert bench.gateway.complete_order(order.reference).state is OrderState.CAPTURED


def test_a_closed_order_takes_no_money(bench: Bench) -> None:
    if not bench.gateway.has_pages:
        pytest.skip("it has no page that could be closed")
    order = bench.new_order()
    bench.gateway.ensure_order(order)
    for _ in range(2):
        closed = bench.gateway.close_order(order.reference)
        assert closed is not None
        assert closed.state is OrderState.CLOSED
    assert not bench.pay(order.reference)
    assert bench.gateway.complete_order(order.reference).state is OrderState.CLOSED
    assert bench.gateway.ensure_order(order).state is OrderState.CLOSED


def test_an_order_that_was_paid_before_it_is_closed_is_captured(bench: Bench) -> None:
    captured = bench.paid_order()
    assert bench.gateway.close_order(captured.reference) == captured


# -- refunds ----------------------------------------------------------------------------------------------------------


def test_a_refund_asked_for_twice_is_one_refund(bench: Bench) -> None:
    captured = bench.paid_order()
    refund = bench.new_refund(captured)
    first = bench.gateway.ensure_refund(refund)
    assert (first.reference, first.amount_paise) == (refund.reference, 50_000)
    bench.finish_refunds()
    done = bench.gateway.ensure_refund(refund)
    assert (done.state, done.gateway_refund_id) == (RefundOrderState.DONE, first.gateway_refund_id)
    assert list(bench.gateway.fetch_refunds(captured.reference)) == [done]
    with pytest.raises(Permanent):
        bench.gateway.ensure_refund(replace(refund, amount_paise=50_001))
    assert list(bench.gateway.fetch_refunds(captured.reference)) == [done]
    assert bench.gateway.fetch_order(captured.reference) == captured  # money that came stays come


def test_a_refund_whose_answer_was_lost_is_found_again(bench: Bench) -> None:
    captured = bench.paid_order()
    refund = bench.new_refund(captured)
    with bench.relay.making(Trouble.LOST), pytest.raises(Transient):
        bench.gateway.ensure_refund(refund)
    bench.gateway.ensure_refund(refund)
    assert [each.reference for each in bench.gateway.fetch_refunds(captured.reference)] == [refund.reference]


def test_a_refund_pends_and_is_done(bench: Bench) -> None:
    captured = bench.paid_order()
    bench.hold_refunds(captured.reference)
    refund = bench.new_refund(captured)
    assert bench.gateway.ensure_refund(refund).state is RefundOrderState.PENDING
    assert bench.gateway.ensure_refund(refund).state is RefundOrderState.PENDING
    bench.finish_refunds()
    done = bench.gateway.ensure_refund(refund)
    assert done.state is RefundOrderState.DONE
    kinds = {event.kind: event.refund for event in told(bench, refund.reference)}
    assert kinds[EventKind.REFUND_DONE] == done


def test_a_refund_that_fails_is_refused(bench: Bench) -> None:
    captured = bench.paid_order()
    bench.refuse_refunds(captured.reference)
    refund = bench.new_refund(captured)
    bench.gateway.ensure_refund(refund)
    bench.finish_refunds()
    refused = bench.gateway.ensure_refund(refund)
    assert refused.state is RefundOrderState.REFUSED
    kinds = {event.kind: event.refund for event in told(bench, refund.reference)}
    assert kinds[EventKind.REFUND_REFUSED] == refused


def test_never_more_is_given_back_than_came(bench: Bench) -> None:
    captured = bench.paid_order()
    bench.gateway.ensure_refund(bench.new_refund(captured, 100_000))
    too_much = bench.gateway.ensure_refund(bench.new_refund(captured, 50_001))
    assert too_much.state is RefundOrderState.REFUSED


# -- listings ---------------------------------------------------------------------------------------------------------


def test_every_capture_since_an_instant_is_listed_once(bench: Bench) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    captured = [bench.paid_order() for _ in range(3)]
    bench.gateway.ensure_order(bench.new_order())  # nobody pays this one
    listed = list(captures_since(bench.gateway, since))
    assert max(Counter(each.capture_id for each in listed).values()) == 1
    found = {each.reference: essence(each) for each in listed}
    assert {each.reference: found.get(each.reference) for each in captured} == {
        each.reference: essence(each) for each in captured
    }
    assert {each.state for each in listed} == {OrderState.CAPTURED}


def test_an_item_that_cannot_be_read_is_named_and_keeps_nobody_from_the_rest(bench: Bench) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    odd, plain = bench.paid_order(), bench.paid_order()
    bench.call_currency(odd, "rupees")
    looks = [list(capture_pages(bench.gateway, since)) for _ in range(2)]
    bench.call_currency(odd, "INR")
    read = {report.reference for page in looks[0] for report in page.reports}
    assert (plain.reference in read, odd.reference in read) == (True, False)
    told, again = ([what for page in look for what in page.unreadable] for look in looks)
    assert len(told) == 1
    assert "currency" in told[0]
    assert told == again


def test_what_is_paid_out_adds_up(bench: Bench) -> None:
    captured = [bench.paid_order() for _ in range(2)]
    refund = bench.gateway.ensure_refund(bench.new_refund(captured[0]))
    bench.finish_refunds()
    items = list(bench.gateway.settled_items(bench.settle()))
    ids = {captured[0].capture_id: 150_000, captured[1].capture_id: 150_000, refund.gateway_refund_id: -50_000}
    ours = [item for item in items if item.gateway_id in ids]
    assert {item.gateway_id: item.amount_paise for item in ours} == ids
    assert len(ours) == len(ids)
    assert [item.kind for item in ours if item.amount_paise < 0] == ["refund"]
    assert all(0 <= item.tax_paise <= item.fee_paise for item in ours)
    references = {item.gateway_id: item.reference for item in ours}
    assert references[captured[0].capture_id] == captured[0].reference
    assert list(bench.gateway.settled_items(bench.settle() - timedelta(days=30))) == []


# -- webhooks ---------------------------------------------------------------------------------------------------------


def a_capture(bench: Bench) -> tuple[OrderReport, Delivery]:
    """A paid order, and a webhook of its capture."""
    captured = bench.paid_order()
    for delivery in bench.deliveries():
        event = bench.gateway.read_event(*delivery)
        if event.kind is EventKind.ORDER_CAPTURED and event.report and event.report.reference == captured.reference:
            return captured, delivery
    raise AssertionError("no webhook told of it")


def test_an_event_is_read_the_same_however_often_it_comes(bench: Bench) -> None:
    captured, (body, headers) = a_capture(bench)
    event = bench.gateway.read_event(body, headers)
    assert bench.gateway.read_event(body, {name.upper(): value for name, value in headers.items()}) == event
    assert written.read_event(Fields(json.loads(json.dumps(written.write(event))))) == event  # what the inbox keeps
    assert 0 < len(event.event_id) <= ID_LONGEST
    assert event.report is not None
    assert essence(event.report) == essence(captured)


def test_whatever_stands_in_what_is_signed_it_is_read_and_the_inbox_can_keep_it(bench: Bench) -> None:
    bench.gateway.ensure_refund(bench.new_refund(bench.paid_order()))
    bench.finish_refunds()
    for body in [variant for told, _ in bench.deliveries()[-5:] for variant in junk.variants(told)]:
        event = bench.gateway.read_event(*bench.signed(body))
        assert 0 < len(event.event_id) <= ID_LONGEST
        assert written.read_event(Fields(json.loads(json.dumps(written.write(event))))) == event, body


def test_what_is_not_signed_with_our_secret_is_refused(bench: Bench) -> None:
    _, (body, headers) = a_capture(bench)
    forgeries: list[Delivery] = [
        (body + b" ", headers),
        (body.replace(b"150000", b"100000"), headers),
        (b"", headers),
        (body, {}),
        *[(body, dict.fromkeys(headers, odd)) for odd in ("", "x", "९" * 64, "\udce9", "0" * 64, "a" * 100_000)],
    ]
    for forged in forgeries:
        with pytest.raises(Refused) as refused:
            bench.gateway.read_event(*forged)
        assert refused.value.code == Code.SIGNATURE_INVALID
    with pytest.raises(Refused) as refused:
        bench.with_another_secret().read_event(body, headers)
    assert refused.value.code == Code.SIGNATURE_INVALID


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"{}", b'{"id": 5, "event": 5, "event_id": 5}'])
def test_what_is_signed_and_cannot_be_read_is_kept(bench: Bench, body: bytes) -> None:
    event = bench.gateway.read_event(*bench.signed(body))
    assert (event.kind, event.report, event.refund) == (EventKind.UNREADABLE, None, None)
    assert 0 < len(event.event_id) <= ID_LONGEST
    assert bench.gateway.read_event(*bench.signed(body)).event_id == event.event_id
    assert event.why


# -- trouble ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_gateway_in_trouble_is_asked_again_and_holds_nobody_up(bench: Bench, hurry: float, trouble: Trouble) -> None:
    order = bench.new_order()
    began = time.monotonic()
    with bench.relay.making(trouble), pytest.raises(Transient):
        bench.gateway.ensure_order(order)
    assert time.monotonic() - began < hurry + 3  # a loaded machine; unhurried it takes five seconds
    assert bench.orders_of(order.reference) == 0
    assert bench.gateway.ensure_order(order).state is OrderState.OPEN


def test_a_gateway_that_hangs_makes_no_refund_twice(bench: Bench, hurry: float) -> None:
    captured = bench.paid_order()
    refund = bench.new_refund(captured)
    with bench.relay.making(Trouble.HANG), pytest.raises(Transient):
        bench.gateway.ensure_refund(refund)
    bench.gateway.ensure_refund(refund)
    assert len(list(bench.gateway.fetch_refunds(captured.reference))) == 1


def test_a_key_that_the_gateway_does_not_know_is_trouble_of_the_account_and_loses_nothing(bench: Bench) -> None:
    with pytest.raises(AccountTrouble):
        bench.with_another_key().ensure_order(bench.new_order())


# -- discretion -------------------------------------------------------------------------------------------------------


def test_nothing_that_is_sent_names_who_pays_or_what_for(bench: Bench) -> None:
    bench.gateway.ensure_refund(bench.new_refund(bench.paid_order()))
    bench.gateway.close_order(bench.paid_order().reference)
    sent = [each.text().replace("/v1/checkout/sessions", "") for each in bench.relay.sent]  # what Stripe calls a page
    assert any("PAY-" in each for each in sent)
    assert discretion.told(sent, words=["session"]) == []


def test_what_must_not_be_told_is_found_in_a_form_and_in_json() -> None:
    found = discretion.told(
        ["POST /v1 name=Hour+of+Ther%61py", '{"customer": {"contact": "+919812345678"}}', "PAY-ASHA00 REF-ASHA00"]
    )
    assert [each.partition(":")[0] for each in found] == ["therap", "+91"]
