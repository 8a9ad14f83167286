"""The sandbox gateway: the real process, asked through the real adapter, reporting to a small receiver."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty

import pytest
import requests

from backend.core.errors import AccountTrouble, Code, Permanent, Refused, Transient
from backend.payments.gateway import (
    Event,
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
from tests.support.gateway import PATIENCE, SECRET, Receiver, Sandbox, answers, command, environment, new_order, until
from tests.support.server import ROOT, free_port

pytestmark = pytest.mark.sqlite_only


class Inbox:
    """Everything the receiver got, verified and read by the adapter, in order of arrival."""

    def __init__(self, receiver: Receiver, reader: SandboxGateway) -> None:
        self.receiver = receiver
        self.reader = reader
        self.events: list[Event] = []

    def about(self, reference: str) -> list[Event]:
        while True:
            try:
                path, body, headers = self.receiver.received.get_nowait()
            except Empty:
                return [event for event in self.events if reference_of(event) == reference]
            assert path == "/api/hooks/payments/sandbox/"
            self.events.append(self.reader.read_event(body, headers))

    def next_about(self, reference: str, count: int = 1) -> list[Event]:
        until(lambda: len(self.about(reference)) >= count)
        return self.about(reference)


def reference_of(event: Event) -> str:
    subject = event.report or event.refund
    assert subject is not None
    return subject.reference


@pytest.fixture(scope="module")
def inbox(receiver: Receiver, sandbox: Sandbox) -> Inbox:
    return Inbox(receiver, sandbox.gateway)


@pytest.fixture
def own_receiver() -> Iterator[Receiver]:
    """A receiver of this test alone, down until told to listen."""
    made = Receiver()
    yield made
    made.stop()


@pytest.fixture
def own_sandbox(own_receiver: Receiver, tmp_path: Path) -> Iterator[Sandbox]:
    """A process of this test alone."""
    made = Sandbox(tmp_path, own_receiver.url)
    yield made
    assert made.stop() == 0


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


# -- webhooks ---------------------------------------------------------------------------------------------------------


def test_a_webhook_that_was_tampered_with_on_its_way_is_refused(
    own_sandbox: Sandbox, own_receiver: Receiver, order: Order
) -> None:
    own_receiver.listen()
    own_sandbox.gateway.ensure_order(order)
    own_sandbox.gateway.complete_order(order.reference)
    _, body, headers = own_receiver.received.get(timeout=PATIENCE)
    assert own_sandbox.gateway.read_event(body, headers).kind == EventKind.ORDER_CAPTURED
    tampered = body.replace(b"150000", b"100000")
    assert tampered != body
    with pytest.raises(Refused) as refused:
        own_sandbox.gateway.read_event(tampered, headers)
    assert refused.value.code == Code.SIGNATURE_INVALID


def test_a_webhook_refused_at_first_comes_again_signed_anew(
    own_sandbox: Sandbox, own_receiver: Receiver, order: Order
) -> None:
    own_receiver.status = 503
    own_receiver.listen()
    own_sandbox.gateway.ensure_order(order)
    own_sandbox.gateway.complete_order(order.reference)
    deliveries = [own_receiver.received.get(timeout=PATIENCE) for _ in range(3)]
    assert len({body for _, body, _ in deliveries}) == 1
    assert len({headers["X-Sandbox-Signature"] for _, _, headers in deliveries}) > 1
    assert len({own_sandbox.gateway.read_event(body, headers).event_id for _, body, headers in deliveries}) == 1


# -- the process ------------------------------------------------------------------------------------------------------


def test_nothing_is_lost_when_both_sides_are_down(own_sandbox: Sandbox, own_receiver: Receiver, order: Order) -> None:
    late = Order(f"{order.reference}_late", 200, "INR")
    for each in (order, late):
        own_sandbox.gateway.ensure_order(each)
    own_sandbox.behave(late.reference, Behaviour.LATE, seconds=1)
    captured = own_sandbox.gateway.complete_order(order.reference)
    assert own_sandbox.gateway.complete_order(late.reference).state == OrderState.OPEN
    assert own_sandbox.stop(signal.SIGKILL) == -signal.SIGKILL
    with pytest.raises(Transient):
        own_sandbox.gateway.fetch_order(order.reference)

    own_sandbox.start()
    assert own_sandbox.gateway.complete_order(order.reference) == captured
    own_receiver.listen()
    inbox = Inbox(own_receiver, own_sandbox.gateway)
    assert inbox.next_about(order.reference)[0].report == captured
    assert inbox.next_about(late.reference)[0].kind == EventKind.ORDER_CAPTURED


def test_the_behaviour_of_all_orders_can_be_set(own_sandbox: Sandbox, order: Order) -> None:
    own_sandbox.control("PUT", "/behaviour", behaviour="decline").raise_for_status()
    own_sandbox.gateway.ensure_order(order)
    assert own_sandbox.gateway.complete_order(order.reference).state == OrderState.DECLINED


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"DEBUG": "0"}, "ALLOW_SANDBOX_PAYMENTS"),
        ({"DEBUG": "0", "PAYMENT_GATEWAY": "sandbox"}, "ALLOW_SANDBOX_PAYMENTS"),
        ({"DEBUG": "perhaps"}, "DEBUG"),
    ],
)
def test_it_will_not_start_where_real_money_is_expected(tmp_path: Path, changes: dict[str, str], names: str) -> None:
    env = environment(tmp_path, SANDBOX_URL=f"http://127.0.0.1:{free_port()}", **changes)
    ended = subprocess.run(command(), cwd=ROOT, env=env, capture_output=True, text=True, timeout=PATIENCE)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert names in ended.stderr


def test_it_starts_with_debug_off_where_it_is_allowed(tmp_path: Path, order: Order) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    env = environment(tmp_path, SANDBOX_URL=url, DEBUG="0", ALLOW_SANDBOX_PAYMENTS="1")
    with subprocess.Popen(command(), cwd=ROOT, env=env, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: answers(SandboxGateway(url, SECRET)))
        finally:
            process.terminate()
    assert process.returncode == 0


def test_a_taken_port_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        env = environment(tmp_path, SANDBOX_URL=f"http://127.0.0.1:{taken.getsockname()[1]}")
        ended = subprocess.run(command(), cwd=ROOT, env=env, capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 2
    assert "cannot listen on" in ended.stderr
