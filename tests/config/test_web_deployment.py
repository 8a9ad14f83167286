"""Web processes that are stopped: behind a balancer no request is lost, and one that only just starts ends too."""

from __future__ import annotations

import itertools
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from django.utils import timezone

from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.payments.gateway import OrderState
from backend.payments.models import Payment
from backend.payments.sandbox.wire import Behaviour
from tests.support import api, scenarios
from tests.support.gateway import SECRET, Sandbox, until
from tests.support.processes import stack
from tests.support.server import free_port

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]
CALLERS = 4
CALLED_A_WHILE = 25  # answers between two steps of the restart, so that each step happens under requests


class Balancer:
    """Sends each request to the next server that is in turn, and counts what came back."""

    def __init__(self, ports: list[int], known: Booking) -> None:
        self.ports = list(ports)
        self.known = known
        self.answers: Counter[str] = Counter()
        self._in_hand: Counter[int] = Counter()
        self._numbers = itertools.count()
        self._over = threading.Event()
        self._lock = threading.Lock()

    def take_out(self, port: int) -> None:
        """Send nothing more there; what was sent has its answer when this returns."""
        with self._lock:
            self.ports = [other for other in self.ports if other != port]
        until(lambda: self._in_hand[port] == 0)

    def put_back(self, port: int) -> None:
        with self._lock:
            self.ports = [*self.ports, port]

    def keep_asking(self) -> None:
        while not self._over.is_set():
            with self._lock:
                number = next(self._numbers)
                port = self.ports[number % len(self.ports)]
                self._in_hand[port] += 1
            answer = self.ask(port, number)
            with self._lock:
                self._in_hand[port] -= 1
                self.answers[answer] += 1

    def ask(self, port: int, number: int) -> str:
        """One request of a visitor; the status of its answer, or why there is none."""
        try:
            if number % 5:
                query = {"acknowledgement_id": self.known.acknowledgement_id}
                answer = requests.get(f"http://127.0.0.1:{port}{api.STATUS}", params=query, timeout=30)
            else:
                form = api.form(timezone.now(), email=f"visitor{number}@example.org")
                answer = requests.post(f"http://127.0.0.1:{port}{api.DRAFT}", json=form, timeout=30)
        except requests.RequestException as error:
            return type(error).__name__
        return str(answer.status_code)

    def a_while(self) -> None:
        """Until some more requests were answered."""
        enough = self.answers.total() + CALLED_A_WHILE
        until(lambda: self.answers.total() >= enough)

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Under steady requests until the block ends."""
        with ThreadPoolExecutor(CALLERS) as callers:
            callings = [callers.submit(self.keep_asking) for _ in range(CALLERS)]
            try:
                yield
            finally:
                self._over.set()
        for calling in callings:
            calling.result()


def test_a_web_process_told_to_stop_answers_what_is_in_hand(settings, tmp_path: Path) -> None:
    settings.PAYMENT_GATEWAY = "sandbox"
    _, payment = scenarios.paying(now=timezone.now())
    sandbox, port = Sandbox(tmp_path, "http://127.0.0.1:1"), free_port()
    try:
        with stack(broker=False, **at(sandbox)) as running, ThreadPoolExecutor(1) as payer:
            web = running.web(port, WEB_WORKERS="1")
            answer = slowly_paid(payment, port, sandbox, payer)
            web.send(signal.SIGTERM)
            assert web.ended() == 0
            assert answer.result().status_code == 200
    finally:
        sandbox.stop()
    assert Booking.objects.get().state == State.CONFIRMED


# four starts of a server under load: of one server the test above says the same in every run
@pytest.mark.stacks
def test_a_rolling_restart_drops_no_request_not_even_those_in_hand(settings, tmp_path: Path) -> None:
    settings.PAYMENT_GATEWAY = "sandbox"
    now = timezone.now()
    known = scenarios.pending("known@example.org", now=now)
    paying = [
        scenarios.paying(f"payer{n}@example.org", now=now, who=scenarios.psychologist(f"Dr. {n}"))[1] for n in range(2)
    ]
    sandbox = Sandbox(tmp_path, "http://127.0.0.1:1")
    ports = [free_port(), free_port()]
    slow: list[Future[requests.Response]] = []
    try:
        with (
            stack(broker=False, STRANGER_REQUESTS_PER_HOUR="100000", **at(sandbox)) as running,
            ThreadPoolExecutor(2) as payers,
        ):
            servers = {port: running.web(port) for port in ports}
            balancer = Balancer(ports, known)
            with balancer.busy():
                for port, payment in zip(ports, paying, strict=True):
                    balancer.a_while()
                    slow.append(slowly_paid(payment, port, sandbox, payers))
                    balancer.take_out(port)
                    assert not slow[-1].done()
                    servers[port].send(signal.SIGTERM)
                    assert servers[port].ended() == 0
                    balancer.a_while()
                    servers[port] = running.web(port)
                    balancer.put_back(port)
                balancer.a_while()
    finally:
        sandbox.stop()
    assert set(balancer.answers) == {"200", "201"}, balancer.answers
    assert [answer.result().status_code for answer in slow] == [200, 200]
    assert Booking.objects.filter(state=State.CONFIRMED).count() == 2
    assert Booking.objects.filter(state=State.DRAFT).count() == balancer.answers["201"]


def test_a_web_process_told_to_stop_while_it_starts_stops() -> None:
    """Granian's workers do not hear TERM until the application is loaded; without a limit it never ends."""
    with stack(broker=False) as running:
        web = running.begin("web", PORT=str(free_port()), WEB_WORKERS="1")
        web.says("Spawning worker-1")
        assert web.stop() == 0, web.log()


def at(sandbox: Sandbox) -> dict[str, str]:
    return {"PAYMENT_GATEWAY": "sandbox", "SANDBOX_URL": sandbox.url, "SANDBOX_SECRET": SECRET}


def slowly_paid(payment: Payment, port: int, sandbox: Sandbox, payers: ThreadPoolExecutor) -> Future[requests.Response]:
    """A request that its server has in hand."""
    sandbox.behave(payment.reference, Behaviour.SLOW, seconds=2)
    body = {"payment_reference": payment.reference}
    answer = payers.submit(requests.post, f"http://127.0.0.1:{port}{api.COMPLETE}", json=body, timeout=30)
    until(lambda: is_captured(sandbox, payment.reference))
    return answer


def is_captured(sandbox: Sandbox, reference: str) -> bool:
    order = sandbox.gateway.fetch_order(reference)
    return order is not None and order.state is OrderState.CAPTURED
