"""The sandbox gateway as a process of its own: its reports while one side is down, and where it refuses to start."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.core.errors import Code, Refused, Transient
from backend.payments.gateway import (
    EventKind,
    Order,
    OrderState,
)
from backend.payments.sandbox.adapter import SandboxGateway
from backend.payments.sandbox.wire import Behaviour
from tests.support.gateway import PATIENCE, SECRET, Receiver, Sandbox, answers, command, environment, new_order, until
from tests.support.sandbox_inbox import Inbox
from tests.support.server import ROOT, free_port

pytestmark = pytest.mark.sqlite_only


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
