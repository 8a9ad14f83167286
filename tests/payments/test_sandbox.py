"""The sandbox gateway: the real process, asked through the real adapter, reporting to a small receiver."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from backend.core.errors import AccountTrouble, Permanent, Transient
from backend.payments.gateway import (
    EventKind,
    Order,
    OrderReport,
    OrderState,
    RefundOrder,
    RefundOrderState,
    RefundReport,
)
from backend.payments.sandbox.adapter import SandboxGateway
from backend.payments.sandbox.wire import Behaviour
from tests.support.gateway import PATIENCE, SECRET, Receiver, Sandbox, new_order
from tests.support.sandbox_inbox import Inbox
from tests.support.server import free_port

pytestmark = pytest.mark.sqlite_only


@pytest.fixture(scope="module")
def inbox(receiver: Receiver, sandbox: Sandbox) -> Inbox:
    return Inbox(receiver, sandbox.gateway)


@pytest.fixture
def order() -> Order:
    return new_order()


# -- orders -----------------------------------------------------------------------------------------------------------


def test_an_order_asked_for_twice_is_one_order(sandbox: Sandbox, order: Order) -> None:
    first = sandbox.gateway.ensure_order(order)
    assert first == OrderReport(order.reference, first.gateway_order_id, OrderState.OPEN, 150_000, "INR", "")
    assert first.gateway_order_id
    assert sandbox.gateway.ensure_order(order) == first
    assert sandbox.gateway.fetch_order(order.reference) == first


def test_the_same_reference_with_another_amount_or_currency_is_refused(sandbox: Sandbox, order: Order) -> None:
    report = sandbox.gateway.ensure_order(order)
    for other in (Order(order.reference, 150_001, "INR"), Order(order.reference, 150_000, "USD")):
        with pytest.raises(Permanent):
            sandbox.gateway.ensure_order(other)
    assert sandbox.gateway.fetch_order(order.reference) == report


def test_an_unknown_order_is_none_to_look_at_and_permanent_to_complete(sandbox: Sandbox, order: Order) -> None:
    assert sandbox.gateway.fetch_order(order.reference) is None
    with pytest.raises(Permanent):
        sandbox.gateway.complete_order(order.reference)


def test_a_reference_with_odd_characters_reaches_its_own_order(sandbox: Sandbox, order: Order) -> None:
    odd = Order(f"{order.reference}/capture?x=ü #", 100, "INR")
    assert sandbox.gateway.ensure_order(odd).reference == odd.reference
    assert sandbox.gateway.fetch_order(order.reference) is None


def test_looking_never_captures_and_the_first_complete_does(sandbox: Sandbox, inbox: Inbox, order: Order) -> None:
    sandbox.gateway.ensure_order(order)
    looked = sandbox.gateway.fetch_order(order.reference)
    assert looked is not None
    assert looked.state == OrderState.OPEN
    captured = sandbox.gateway.complete_order(order.reference)
    assert captured.state == OrderState.CAPTURED
    assert captured.capture_id
    assert sandbox.gateway.complete_order(order.reference) == captured
    assert sandbox.gateway.ensure_order(order) == captured
    (event,) = inbox.next_about(order.reference)
    assert (event.kind, event.report, event.refund) == (EventKind.ORDER_CAPTURED, captured, None)


def test_many_completing_at_once_capture_once(sandbox: Sandbox, inbox: Inbox, order: Order) -> None:
    sandbox.gateway.ensure_order(order)
    with ThreadPoolExecutor(12) as crowd:
        reports = list(crowd.map(sandbox.gateway.complete_order, [order.reference] * 12))
    assert len({report.capture_id for report in reports}) == 1
    assert len({event.event_id for event in inbox.next_about(order.reference)}) == 1


def test_a_declined_order_stays_declined_until_the_bank_captures_it(
    sandbox: Sandbox, inbox: Inbox, order: Order
) -> None:
    sandbox.behave(order.reference, Behaviour.DECLINE)  # before the order exists
    sandbox.gateway.ensure_order(order)
    declined = sandbox.gateway.complete_order(order.reference)
    assert (declined.state, declined.capture_id) == (OrderState.DECLINED, "")
    sandbox.behave(order.reference, Behaviour.CAPTURE)
    assert sandbox.gateway.complete_order(order.reference) == declined
    sandbox.control("POST", f"/orders/{order.reference}/capture").raise_for_status()
    captured = sandbox.gateway.fetch_order(order.reference)
    assert captured is not None
    assert captured.state == OrderState.CAPTURED
    events = inbox.next_about(order.reference, 2)
    assert [(event.kind, event.report) for event in events] == [
        (EventKind.ORDER_DECLINED, declined),
        (EventKind.ORDER_CAPTURED, captured),
    ]


def test_a_capture_at_will_is_reported_without_being_asked(sandbox: Sandbox, inbox: Inbox, order: Order) -> None:
    sandbox.gateway.ensure_order(order)
    sandbox.control("POST", f"/orders/{order.reference}/capture").raise_for_status()
    (event,) = inbox.next_about(order.reference)
    assert event.report == sandbox.gateway.fetch_order(order.reference)
    assert event.report is not None
    assert event.report.state == OrderState.CAPTURED


def test_a_late_order_is_open_when_asked_and_captures_by_itself(sandbox: Sandbox, inbox: Inbox, order: Order) -> None:
    sandbox.behave(order.reference, Behaviour.LATE, seconds=0.3)
    sandbox.gateway.ensure_order(order)
    assert sandbox.gateway.complete_order(order.reference).state == OrderState.OPEN
    (event,) = inbox.next_about(order.reference)
    assert event.kind == EventKind.ORDER_CAPTURED
    assert sandbox.gateway.complete_order(order.reference) == event.report


def test_a_slow_gateway_exhausts_our_patience_but_captures(sandbox: Sandbox, inbox: Inbox, order: Order) -> None:
    sandbox.behave(order.reference, Behaviour.SLOW)  # 8 s unless told otherwise
    sandbox.gateway.ensure_order(order)
    with pytest.raises(Transient):
        sandbox.gateway.complete_order(order.reference)
    (event,) = inbox.next_about(order.reference)
    assert event.kind == EventKind.ORDER_CAPTURED
    assert event.report == sandbox.gateway.fetch_order(order.reference)


def test_an_unreachable_gateway_hangs_up_on_everything_for_its_span(sandbox: Sandbox, order: Order) -> None:
    asks: list[Callable[[], object]] = [
        lambda: sandbox.gateway.ensure_order(order),
        lambda: sandbox.gateway.fetch_order(order.reference),
        lambda: sandbox.gateway.complete_order(order.reference),
        lambda: sandbox.gateway.ensure_refund(RefundOrder("any", order.reference, 1, "INR")),
    ]
    sandbox.behave(order.reference, Behaviour.UNREACHABLE)
    for ask in asks:
        with pytest.raises(Transient):
            ask()
    sandbox.behave(order.reference, Behaviour.UNREACHABLE, seconds=0)
    assert sandbox.gateway.ensure_order(order).state == OrderState.OPEN
    assert sandbox.gateway.complete_order(order.reference).state == OrderState.CAPTURED


def test_a_gateway_that_is_not_there_is_transient(order: Order) -> None:
    nowhere = SandboxGateway(f"http://127.0.0.1:{free_port()}", SECRET)
    with pytest.raises(Transient):
        nowhere.ensure_order(order)


def test_a_wrong_key_is_trouble_of_the_account(sandbox: Sandbox, order: Order) -> None:
    stranger = SandboxGateway(sandbox.url, "guessed")
    for ask in (stranger.ensure_order, lambda order: stranger.fetch_order(order.reference)):
        with pytest.raises(AccountTrouble):
            ask(order)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/orders/x", b"not JSON", 400),
        ("PUT", "/orders/x", b"[]", 400),
        ("PUT", "/orders/x", b'{"amount_paise": 10.5, "currency": "INR"}', 400),
        ("PUT", "/orders/x", b'{"amount_paise": true, "currency": "INR"}', 400),
        ("PUT", "/orders/x", b'{"amount_paise": 0, "currency": "INR"}', 400),
        ("PUT", "/orders/x", b'{"amount_paise": 100, "currency": "rupees"}', 400),
        ("PUT", "/orders/x/behaviour", b'{"behaviour": "explode"}', 400),
        ("PUT", "/orders/x/behaviour", b'{"behaviour": "slow", "seconds": NaN}', 400),
        ("PUT", "/orders/x", b" " * 20_000, 400),
        ("PUT", "/orders/", b"{}", 404),
        ("GET", "/nothing", b"", 404),
    ],
)
def test_an_ask_that_makes_no_sense_is_refused(
    sandbox: Sandbox, method: str, path: str, body: bytes, status: int
) -> None:
    headers = {"X-Sandbox-Key": SECRET, "Connection": "close"}
    answer = requests.request(method, sandbox.url + path, data=body, headers=headers, timeout=PATIENCE)
    assert (answer.status_code, list(answer.json())) == (status, ["detail"])


# -- refunds ----------------------------------------------------------------------------------------------------------


def test_a_refund_asked_for_twice_is_one_refund(sandbox: Sandbox, inbox: Inbox, order: Order) -> None:
    sandbox.gateway.ensure_order(order)
    sandbox.gateway.complete_order(order.reference)
    refund = RefundOrder(f"{order.reference}_r1", order.reference, 50_000, "INR")
    done = sandbox.gateway.ensure_refund(refund)
    assert done == RefundReport(refund.reference, done.gateway_refund_id, RefundOrderState.DONE, 50_000)
    assert sandbox.gateway.ensure_refund(refund) == done
    with pytest.raises(Permanent):
        sandbox.gateway.ensure_refund(RefundOrder(refund.reference, order.reference, 50_001, "INR"))
    (event,) = inbox.next_about(refund.reference)
    assert (event.kind, event.report, event.refund) == (EventKind.REFUND_DONE, None, done)


def test_never_more_is_given_back_than_was_captured(sandbox: Sandbox, inbox: Inbox, order: Order) -> None:
    sandbox.gateway.ensure_order(order)

    def state_of(number: int, amount_paise: int, currency: str = "INR") -> RefundOrderState:
        refund = RefundOrder(f"{order.reference}_r{number}", order.reference, amount_paise, currency)
        return sandbox.gateway.ensure_refund(refund).state

    assert state_of(1, 1) == RefundOrderState.REFUSED  # nothing captured yet
    sandbox.gateway.complete_order(order.reference)
    assert state_of(2, 100_000) == RefundOrderState.DONE
    assert state_of(3, 50_001) == RefundOrderState.REFUSED
    assert state_of(4, 100, "USD") == RefundOrderState.REFUSED
    assert state_of(5, 50_000) == RefundOrderState.DONE
    assert state_of(6, 1) == RefundOrderState.REFUSED
    assert state_of(1, 1) == RefundOrderState.REFUSED  # final for its reference
    (event,) = inbox.next_about(f"{order.reference}_r3")
    assert event.kind == EventKind.REFUND_REFUSED


def test_a_late_refund_is_pending_and_then_done(sandbox: Sandbox, inbox: Inbox, order: Order) -> None:
    sandbox.gateway.ensure_order(order)
    sandbox.gateway.complete_order(order.reference)
    sandbox.behave(order.reference, Behaviour.LATE, seconds=0.3)
    refund = RefundOrder(f"{order.reference}_r1", order.reference, 150_000, "INR")
    assert sandbox.gateway.ensure_refund(refund).state == RefundOrderState.PENDING
    (event,) = inbox.next_about(refund.reference)
    assert event.kind == EventKind.REFUND_DONE
    assert event.refund == sandbox.gateway.ensure_refund(refund)


def test_a_refund_of_an_unknown_order_is_permanent_and_leaves_nothing(sandbox: Sandbox, order: Order) -> None:
    refund = RefundOrder(f"{order.reference}_r1", order.reference, 100, "INR")
    with pytest.raises(Permanent):
        sandbox.gateway.ensure_refund(refund)
    sandbox.gateway.ensure_order(order)
    sandbox.gateway.complete_order(order.reference)
    assert sandbox.gateway.ensure_refund(refund).state == RefundOrderState.DONE
