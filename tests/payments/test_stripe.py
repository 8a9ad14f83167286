"""Stripe, beyond what every gateway promises: slow banks, keys of idempotency, and who signs and sends what."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
import time_machine

from backend.core.errors import AccountTrouble, Code, Permanent, Refused, Transient
from backend.core.outgoing.asking import Answer, Call
from backend.core.outgoing.fields import Fields
from backend.payments.adapters import gateway_named
from backend.payments.gateway import ID_LONGEST, Event, EventKind, LastTry, OrderState, RefundOrderState, captures_since
from backend.payments.stamped import sign
from backend.payments.stripe import asks
from backend.payments.stripe.adapter import SIGNATURE_HEADER, StripeGateway
from backend.payments.stripe.answers import read_answer
from backend.payments.stripe.forms import session_form
from backend.payments.stripe.objects import REFERENCE
from tests.support.benches.stripe import StripeBench
from tests.support.fake_stripe.books import How
from tests.support.fake_stripe.server import KEY, WEBHOOK_SECRET

pytestmark = pytest.mark.sqlite_only
NOW = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StripeBench]:
    made = StripeBench(tmp_path_factory.mktemp("stripe"))
    yield made
    made.stop()


def opened(stripe: StripeBench) -> str:
    """The reference of an order that nobody has paid yet."""
    return stripe.gateway.ensure_order(stripe.new_order()).reference


def events_of(stripe: StripeBench, reference: str) -> list[Event]:
    events = [stripe.gateway.read_event(*delivery) for delivery in stripe.deliveries()]
    return [each for each in events if reference in (each.reference, each.report and each.report.reference)]


def read(body: dict[str, Any] | bytes, secret: str = WEBHOOK_SECRET) -> Event:
    """A webhook of this content, signed."""
    given = body if isinstance(body, bytes) else json.dumps(body).encode()
    gateway = StripeGateway("http://127.0.0.1:1", KEY, [WEBHOOK_SECRET, "whsec_previous"])
    return gateway.read_event(given, {SIGNATURE_HEADER: sign(given, secret, time.time())})


# -- banks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "state", "kind"),
    [
        (How.UPI, OrderState.CAPTURED, EventKind.ORDER_CAPTURED),
        (How.UPI_FAILS, OrderState.DECLINED, EventKind.ORDER_DECLINED),
    ],
)
def test_a_bank_that_takes_its_time_is_pending_until_it_has_spoken(
    stripe: StripeBench, how: How, state: OrderState, kind: EventKind
) -> None:
    reference = opened(stripe)
    stripe.act(reference, how, seconds=3600)
    waits = stripe.gateway.complete_order(reference)
    assert (waits.state, waits.last_try, waits.pay_url) == (OrderState.OPEN, LastTry.PENDING, "")
    assert stripe.gateway.close_order(reference) == waits  # what is under way cannot be closed
    assert {event.kind for event in events_of(stripe, reference)} == {EventKind.ORDER_TOUCHED}
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1), tick=True):
        report = stripe.gateway.fetch_order(reference)
        told = [event for event in events_of(stripe, reference) if event.kind is kind]
    assert report is not None
    assert report.state is state
    assert [event.report.state for event in told if event.report] == [state]


def test_what_is_authorised_is_captured_when_it_is_completed(stripe: StripeBench) -> None:
    reference = opened(stripe)
    stripe.act(reference, How.HOLD)
    held = stripe.gateway.fetch_order(reference)
    assert held is not None
    assert (held.state, held.capture_id) == (OrderState.AUTHORISED, "")
    captured = stripe.gateway.complete_order(reference)
    assert captured.state is OrderState.CAPTURED
    assert captured.capture_id.startswith("pi_")


def test_a_page_expires(stripe: StripeBench) -> None:
    reference = opened(stripe)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2, seconds=1), tick=True):
        report = stripe.gateway.fetch_order(reference)
        kinds = [event.kind for event in events_of(stripe, reference)]
    assert report is not None
    assert (report.state, report.pay_url, kinds) == (OrderState.CLOSED, "", [EventKind.ORDER_TOUCHED])


def test_a_page_that_is_closed_remembers_a_try_that_was_declined_and_forgets_it_once_paid(stripe: StripeBench) -> None:
    left, paid = opened(stripe), opened(stripe)
    for reference in (left, paid):
        stripe.decline(reference)
    stripe.pay(paid)
    closed = stripe.gateway.close_order(left)
    assert closed is not None
    assert (closed.state, closed.last_try) == (OrderState.CLOSED, LastTry.DECLINED)
    captured = stripe.gateway.complete_order(paid)
    stripe.books.intents.get(captured.capture_id)["last_payment_error"] = {"code": "card_declined"}
    assert stripe.gateway.complete_order(paid).last_try is captured.last_try is LastTry.NONE


def test_a_page_is_closed_once(stripe: StripeBench) -> None:
    reference = opened(stripe)
    assert stripe.gateway.close_order(reference) == stripe.gateway.close_order(reference)
    session_id = stripe.session_of(reference)["id"]
    assert sum(each.path.endswith(f"{session_id}/expire") for each in stripe.relay.sent) == 1


def test_the_fee_of_a_capture_is_known_once_it_is_booked_in_its_own_currency(stripe: StripeBench) -> None:
    captured = stripe.paid_order()
    assert (captured.capture.method, captured.capture.fee_paise, captured.capture.tax_paise) == ("card", 3_540, 540)
    charge = stripe.books.charges.get(stripe.books.intents.get(captured.capture_id)["latest_charge"])
    booked = stripe.books.booked.get(charge["balance_transaction"])
    booked["created"] += 60
    booked["currency"] = "usd"
    elsewhere = stripe.gateway.complete_order(captured.reference)
    charge["balance_transaction"] = None
    not_yet = stripe.gateway.complete_order(captured.reference)
    assert {each.capture.fee_paise for each in (elsewhere, not_yet)} == {None}
    assert not_yet.capture.captured_at is not None
    assert elsewhere.capture.captured_at == not_yet.capture.captured_at + timedelta(minutes=1)  # when it was booked


# -- one page for each order ------------------------------------------------------------------------------------------


def test_with_its_id_one_question_is_enough(stripe: StripeBench) -> None:
    report = stripe.gateway.ensure_order(stripe.new_order())
    asked = len(stripe.relay.sent)
    assert stripe.gateway.fetch_order(report.reference, report.gateway_order_id) == report
    assert len(stripe.relay.sent) == asked + 1
    assert stripe.gateway.fetch_order(report.reference, "cs_test_nobodys") is None
    with pytest.raises(Transient):  # the id of another order
        stripe.gateway.fetch_order(opened(stripe), report.gateway_order_id)


def test_an_order_that_is_begun_again_later_with_less_time_is_the_same(stripe: StripeBench) -> None:
    order = replace(stripe.new_order(), expires_at=datetime.now(UTC) + timedelta(minutes=10))
    first = stripe.gateway.ensure_order(order)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=5), tick=True):
        assert stripe.gateway.ensure_order(order) == first
    assert stripe.orders_of(order.reference) == 1


def test_an_error_that_stripe_remembers_makes_no_second_page(stripe: StripeBench) -> None:
    order = stripe.new_order()
    stripe.fake.troubles.owe("500", path="/sessions")
    for _ in range(2):
        with pytest.raises(Transient, match="500"):
            stripe.gateway.ensure_order(order)
    assert stripe.orders_of(order.reference) == 1
    assert stripe.gateway.close_order(order.reference) is not None


def test_while_another_ask_with_the_key_is_under_way_it_is_asked_again_later(stripe: StripeBench) -> None:
    order = stripe.new_order()
    stripe.gateway.ensure_order(order)
    stripe.fake.keys.known[order.reference].answer = None
    with pytest.raises(Transient, match="409 idempotency_key_in_use"):
        stripe.gateway.ensure_order(order)


def test_what_a_restricted_key_may_not_do_waits_for_a_key_that_may() -> None:
    refused = Fields({"error": {"type": "invalid_request_error", "message": "The provided key may not do that."}})
    with pytest.raises(AccountTrouble):
        read_answer(Answer(403, refused))


def test_once_its_time_is_over_an_order_is_looked_for_and_never_made(stripe: StripeBench) -> None:
    order = stripe.new_order()
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=3), tick=True):
        with pytest.raises(Transient, match="time is over"):
            stripe.gateway.ensure_order(order)
        assert stripe.orders_of(order.reference) == 0
    first = stripe.gateway.ensure_order(order)
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=3), tick=True):
        assert stripe.gateway.ensure_order(order).gateway_order_id == first.gateway_order_id
    assert stripe.orders_of(order.reference) == 1


@pytest.mark.parametrize(
    ("wished", "given"),
    [
        (timedelta(minutes=1), timedelta(minutes=31)),
        (timedelta(hours=2), timedelta(hours=2)),
        (timedelta(days=3), timedelta(hours=23, minutes=59)),
    ],
)
def test_a_page_lives_as_long_as_stripe_lets_it(stripe: StripeBench, wished: timedelta, given: timedelta) -> None:
    form = session_form(replace(stripe.new_order(), expires_at=NOW + wished), NOW)
    assert form["expires_at"] == int((NOW + given).timestamp())


# -- refunds ----------------------------------------------------------------------------------------------------------


def test_a_refund_that_pends_for_days_is_still_one(stripe: StripeBench) -> None:
    captured = stripe.paid_order()
    stripe.hold_refunds(captured.reference)
    refund = stripe.new_refund(captured)
    first = stripe.gateway.ensure_refund(refund)
    stripe.fake.keys.known.clear()  # as after a day
    assert stripe.gateway.ensure_refund(refund) == first
    assert stripe.gateway.fetch_refunds(captured.reference, captured.gateway_order_id) == [first]


def test_a_refund_made_in_the_dashboard_is_told_and_listed(stripe: StripeBench) -> None:
    captured = stripe.paid_order()
    before = len(events_of(stripe, captured.reference))
    stripe.books.refund(intent_id=captured.capture_id, amount=1_000, metadata={})
    told = events_of(stripe, captured.reference)[before:]
    assert [(each.kind, each.reference) for each in told] == [(EventKind.ORDER_TOUCHED, captured.reference)]
    (found,) = stripe.gateway.fetch_refunds(captured.reference)
    assert (found.reference, found.amount_paise, found.state) == ("", 1_000, RefundOrderState.DONE)


def test_a_refund_of_what_was_never_captured_is_refused_for_good(stripe: StripeBench) -> None:
    refund, asked = stripe.new_refund(stripe.paid_order()), len(stripe.relay.sent)
    with pytest.raises(Permanent):
        stripe.gateway.ensure_refund(replace(refund, capture_id=""))
    assert len(stripe.relay.sent) == asked  # with an empty name it might be told of everybody's refunds
    with pytest.raises(Permanent):
        stripe.gateway.ensure_refund(replace(refund, capture_id="pi_nobodys"))


def test_of_what_went_back_nothing_is_left_to_give(stripe: StripeBench) -> None:
    captured = stripe.paid_order()
    parts = [stripe.gateway.ensure_refund(stripe.new_refund(captured, paise)) for paise in (100_000, 50_000)]
    assert stripe.gateway.ensure_refund(stripe.new_refund(captured, 1)).state is RefundOrderState.REFUSED
    assert stripe.gateway.fetch_refunds(captured.reference) == parts


def test_that_a_refund_pends_is_no_news(stripe: StripeBench) -> None:
    captured = stripe.paid_order()
    stripe.hold_refunds(captured.reference)
    stripe.gateway.ensure_refund(stripe.new_refund(captured))
    body, headers = stripe.deliveries()[-1]
    assert b"refund.created" in body
    assert stripe.gateway.read_event(body, headers).kind is EventKind.OTHER


# -- listings ---------------------------------------------------------------------------------------------------------


def test_listings_are_read_to_their_end_and_by_whom_they_concern(
    stripe: StripeBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.payments.stripe.adapter.MOST_IN_FULL", 2)
    monkeypatch.setattr(asks, "MOST", 2)
    ours = {stripe.paid_order().reference for _ in range(3)}
    assert stripe.gateway.fetch_order(min(ours)) is not None
    foreign = stripe.books.open_session(
        amount=500, currency="inr", client_reference_id="theirs", metadata={}, _intent_metadata={}
    )
    stripe.books.pay(foreign["id"])
    without_money = stripe.books.open_session(amount=0, currency="inr", client_reference_id=None, metadata={})
    without_money |= {"mode": "setup", "amount_total": None, "status": "complete"}
    found = list(captures_since(stripe.gateway, datetime.now(UTC) - timedelta(minutes=1)))
    assert ours < {each.reference for each in found}
    assert [each.amount_paise for each in found if each.reference == ""] == [500]
    assert list(captures_since(stripe.gateway, datetime.now(UTC) + timedelta(days=1))) == []
    items = list(stripe.gateway.settled_items(stripe.settle()))
    assert ours < {each.reference for each in items}
    assert {each.kind for each in items} <= {"payment", "refund", "refund_failure"}
    assert sum(each.amount_paise - each.fee_paise for each in items) == _paid_out(stripe)


def test_a_listing_that_never_ends_is_given_up() -> None:
    class Endless:
        def ask(self, *_: str, query: Any) -> Answer:
            return Answer(200, Fields({"data": [], "has_more": True}))

    with pytest.raises(Transient, match="unreadable"):
        list(asks.listed(lambda: cast(Call, Endless()), "v1", "refunds", query={}))


def test_a_capture_is_listed_though_its_page_is_older(stripe: StripeBench) -> None:
    reference = stripe.paid_order().reference
    stripe.session_of(reference)["created"] -= 40 * 60 * 60
    listed = captures_since(stripe.gateway, datetime.now(UTC) - timedelta(minutes=1))
    assert reference in {each.reference for each in listed}


def _paid_out(stripe: StripeBench) -> int:
    return sum(payout["amount"] for payout in stripe.books.payouts.things.values())


def test_it_serves_who_has_its_keys(settings: Any) -> None:
    with pytest.raises(Refused):
        gateway_named("stripe")
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = KEY, WEBHOOK_SECRET
    assert gateway_named("stripe").has_pages
    with pytest.raises(Refused):  # nobody signs with a previous secret that is not set
        gateway_named("stripe").read_event(b"{}", {SIGNATURE_HEADER: sign(b"{}", "", time.time())})


# -- webhooks ---------------------------------------------------------------------------------------------------------


def test_a_webhook_is_good_with_the_current_secret_and_the_previous_one() -> None:
    body = {"id": "evt_1", "type": "customer.created"}
    expected = Event("evt_1", EventKind.OTHER, None, None)
    assert read(body) == read(body, "whsec_previous") == expected
    for secret in ("whsec_before", ""):
        with pytest.raises(Refused) as refused:
            read(body, secret)
        assert refused.value.code == Code.SIGNATURE_INVALID


def test_while_a_secret_is_rolled_a_webhook_carries_a_signature_for_each() -> None:
    body = b'{"id": "evt_1", "type": "customer.created"}'
    stamp, ours = sign(body, WEBHOOK_SECRET, time.time()).split(",")
    header = f"{stamp},v1={'0' * 64},{ours},v0={'1' * 64}"
    gateway = StripeGateway("http://127.0.0.1:1", KEY, [WEBHOOK_SECRET])
    assert gateway.read_event(body, {"stripe-signature": header}).kind is EventKind.OTHER
    with pytest.raises(Refused):
        gateway.read_event(body, {"stripe-signature": sign(body, WEBHOOK_SECRET, time.time() - 301)})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'{"id": 7}',
        b'{"id": "' + b"x" * (ID_LONGEST + 1) + b'", "type": "checkout.session.completed"}',
        b'{"id": "evt_1"}',
        b'{"id": "evt_1", "type": "checkout.session.completed"}',
        b'{"id": "evt_1", "type": "refund.updated", "data": {"object": {"metadata": {"%s": "REF-1"}}}}'
        % REFERENCE.encode(),
    ],
)
def test_what_is_genuine_and_cannot_be_read_is_kept_as_that(body: bytes) -> None:
    event = read(body)
    assert event.kind is EventKind.UNREADABLE
    assert event == read(body)
    assert 0 < len(event.event_id) <= 80
    assert event.why or b"x" * (ID_LONGEST + 1) in body


def test_what_is_about_no_payment_of_ours_is_let_be() -> None:
    kinds = ["checkout.session.completed", "checkout.session.async_payment_failed", "checkout.session.expired"]
    kinds += ["payment_intent.succeeded", "charge.refunded", "refund.updated", "a.kind.of.next.year"]
    events = [read({"id": "evt_1", "type": kind, "data": {"object": {"metadata": {}}}}) for kind in kinds]
    assert {event.kind for event in events} == {EventKind.OTHER}
