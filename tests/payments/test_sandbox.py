"""The sandbox gateway: the real process, asked through the real adapter, reporting to a small receiver."""

from __future__ import annotations

import json
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
import requests

from backend.core.errors import AccountTrouble, Code, Permanent, Refused, Transient
from backend.core.outgoing import fields
from backend.core.outgoing.asking import Answer
from backend.payments import adapters, stamped, written
from backend.payments.gateway import (
    ID_LONGEST,
    Event,
    EventKind,
    Order,
    OrderReport,
    OrderState,
    RefundOrder,
    RefundOrderState,
    RefundReport,
)
from backend.payments.sandbox import wire
from backend.payments.sandbox.adapter import SandboxGateway
from backend.payments.sandbox.store import Store, Webhook
from backend.payments.sandbox.webhooks import next_attempt
from backend.payments.sandbox.wire import Behaviour, Instruction
from tests.support.gateway import PATIENCE, SECRET, Receiver, Sandbox, answers, command, environment, until
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
    return Order(f"pay_{secrets.token_hex(6)}", 150_000, "INR")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "sandbox.sqlite3")
    yield made
    made.close()


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


# -- behaviours and timers, on the store alone ------------------------------------------------------------------------


def test_an_orders_own_behaviour_goes_before_that_of_all(store: Store) -> None:
    assert store.instruction("a", 0) == Instruction(Behaviour.CAPTURE, 0)
    store.instruct(None, Instruction(Behaviour.DECLINE, 0), 0)
    store.instruct("b", Instruction(Behaviour.LATE, 3), 0)
    assert store.instruction("a", 0) == Instruction(Behaviour.DECLINE, 0)
    assert store.instruction("b", 0) == Instruction(Behaviour.LATE, 3)


@pytest.mark.parametrize(("now", "expected"), [(129.9, "unreachable"), (130.0, "capture"), (130.1, "capture")])
def test_unreachable_ends_with_its_span(store: Store, now: float, expected: str) -> None:
    store.instruct("a", Instruction(Behaviour.UNREACHABLE, 30), 100)
    assert store.instruction("a", now).behaviour == expected


@pytest.mark.parametrize(
    ("now", "expected"), [(104.9, OrderState.OPEN), (105.0, OrderState.CAPTURED), (105.1, OrderState.CAPTURED)]
)
def test_late_counts_from_the_first_ask(store: Store, order: Order, now: float, expected: OrderState) -> None:
    store.open_order(order)
    store.complete(order.reference, Instruction(Behaviour.LATE, 5), 100)
    store.complete(order.reference, Instruction(Behaviour.LATE, 5), 104)
    store.advance(now)
    assert store.order(order.reference).state == expected
    assert len(store.due_webhooks(now)) == (expected == OrderState.CAPTURED)


def test_a_fact_is_reported_once_however_often_it_is_asked_for(store: Store, order: Order) -> None:
    store.open_order(order)
    for now in (100, 101, 102):
        store.capture(order.reference, now)
        store.complete(order.reference, Instruction(Behaviour.CAPTURE, 0), now)
        store.advance(now)
    (webhook,) = store.due_webhooks(102)
    store.tried(webhook, None)
    assert store.due_webhooks(10**9) == []


def test_a_failed_webhook_comes_back_when_its_pause_is_over(store: Store, order: Order) -> None:
    store.open_order(order)
    store.capture(order.reference, 100)
    (webhook,) = store.due_webhooks(100)
    store.tried(webhook, 102)
    assert store.due_webhooks(101.9) == []
    assert [(again.event_id, again.attempts) for again in store.due_webhooks(102)] == [(webhook.event_id, 1)]


def test_pauses_grow_from_one_second_to_thirty_and_end_after_a_day() -> None:
    def pause(attempts: int, now: float = 0) -> float | None:
        next_at = next_attempt(Webhook("evt", b"", 0, attempts), now)
        return None if next_at is None else next_at - now

    assert [pause(attempts) for attempts in (0, 1, 2, 9, 2_900)] == [1, 1.5, 2.25, 30, 30]
    day = 86_400
    assert (pause(2_900, day - 1), pause(2_900, day), pause(2_900, day + 1)) == (30, None, None)


# -- webhooks ---------------------------------------------------------------------------------------------------------

BODY = json.dumps({"event_id": "evt_1", "kind": "something_new"}).encode()


@pytest.mark.parametrize(
    ("age", "expected"), [(-301, False), (-300, True), (0, True), (299, True), (300, True), (301, False)]
)
def test_a_signature_is_good_for_five_minutes(age: int, expected: bool) -> None:
    assert stamped.is_signed(BODY, wire.sign(BODY, SECRET, 1_000_000), [SECRET], 1_000_000 + age) is expected


def test_a_genuine_event_of_a_kind_we_do_not_know_is_other() -> None:
    headers = {"x-sandbox-signature": wire.sign(BODY, SECRET, time.time())}
    event = SandboxGateway("http://unused", SECRET).read_event(BODY, headers)
    assert event == Event("evt_1", EventKind.OTHER, None, None)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "t=,v1=",
        "nonsense",
        f"t=9,v1={'0' * 64}",
        f"t=٣,v1={'0' * 64}",
        wire.sign(BODY + b" ", SECRET, time.time()),
        wire.sign(BODY, "another secret", time.time()),
        wire.sign(BODY, SECRET, time.time()) + ",t=0",
        wire.sign(BODY, SECRET, time.time() - 3600),
    ],
    ids=["none", "empty", "blank", "nonsense", "forged", "digits", "other body", "other secret", "appended", "old"],
)
def test_a_body_that_is_not_signed_is_refused_unread(header: str | None) -> None:
    headers = {} if header is None else {"X-Sandbox-Signature": header}
    with pytest.raises(Refused) as refused:
        SandboxGateway("http://unused", SECRET).read_event(BODY, headers)
    assert refused.value.code == Code.SIGNATURE_INVALID


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"event_id": "", "kind": "order_captured"}',
        b'{"event_id": "evt_1", "kind": "order_captured"}',
        b'{"event_id": "evt_1", "kind": "order_captured", "report": null}',
        b'{"event_id": "evt_1", "kind": "order_captured", "report": {"reference": "pay_1", "gateway_order_id": "o",'
        b' "state": "captured", "amount_paise": "150000", "currency": "INR", "capture_id": "c"}}',
        b'{"event_id": "evt_1", "kind": "refund_done", "refund": {"reference": "r", "gateway_refund_id": "g",'
        b' "state": "perhaps", "amount_paise": 1}}',
    ],
)
def test_a_signed_body_of_another_shape_is_kept_and_says_why(body: bytes) -> None:
    event = SandboxGateway("http://unused", SECRET).read_event(
        body, {"X-Sandbox-Signature": stamped.sign(body, SECRET, time.time())}
    )
    assert (event.kind, event.report, bool(event.why)) == (EventKind.UNREADABLE, None, True)


LONG, NUL, LONE = "x" * (ID_LONGEST + 1), "c\x00", "\ud800"


def texts_of_an_event(**changes: str) -> bytes:
    report = {"reference": "PAY-1", "gateway_order_id": "o", "capture_id": "c", "state": "captured", "currency": "INR"}
    event = {"event_id": "evt_1", "kind": "order_captured", "report": {**report, "amount_paise": 1, **changes}}
    return json.dumps({**event, **{name: changes[name] for name in ("event_id", "kind") if name in changes}}).encode()


@pytest.mark.parametrize("odd", [LONG, NUL, LONE])
@pytest.mark.parametrize("name", ["event_id", "kind", "reference", "gateway_order_id", "capture_id"])
def test_a_genuine_event_whose_texts_fit_no_column_is_unreadable_and_has_a_name(name: str, odd: str) -> None:
    event = written.read_event(fields.Fields.parse(texts_of_an_event(**{name: odd})))
    assert (event.kind, event.report) == (EventKind.UNREADABLE, None)
    assert (event.event_id == "evt_1") is (name != "event_id")
    assert len(event.event_id) <= 80
    assert event.event_id.isprintable()


def test_a_capture_without_its_id_or_order_is_malformed() -> None:
    for name in ("capture_id", "gateway_order_id"):
        with pytest.raises(fields.Malformed):
            written.read_event(fields.Fields.parse(texts_of_an_event(**{name: ""})))


def test_an_answer_about_another_order_or_with_unfit_texts_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = SandboxGateway("http://unused", SECRET)
    refund = {"reference": "REF-1", "gateway_refund_id": LONG, "state": "done", "amount_paise": 1}
    for told in ({**json.loads(texts_of_an_event())["report"], "reference": "PAY-2"}, refund):
        answer = Answer(200, fields.Fields(told))
        monkeypatch.setattr(gateway, "_ask", lambda *_, answer=answer, **__: answer)
        with pytest.raises(Transient):
            gateway.fetch_order("PAY-1") if "capture_id" in told else gateway.ensure_refund(
                RefundOrder("REF-1", "PAY-1", 1, "INR")
            )


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


# -- which gateway ----------------------------------------------------------------------------------------------------


def test_the_sandbox_is_found_by_its_name(settings: Any) -> None:
    settings.DEBUG = True
    assert adapters.gateway_named("sandbox").name == "sandbox"


@pytest.mark.parametrize(("is_allowed", "name"), [(False, "sandbox"), (True, "stripe"), (True, "")])
def test_a_gateway_that_may_not_speak_here_is_refused(settings: Any, is_allowed: bool, name: str) -> None:
    settings.DEBUG, settings.ALLOW_SANDBOX_PAYMENTS = False, is_allowed
    with pytest.raises(Refused) as refused:
        adapters.gateway_named(name)
    assert refused.value.code == Code.PAYMENTS_UNAVAILABLE
