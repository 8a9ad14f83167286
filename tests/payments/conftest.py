"""The gateways' benches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.core.outgoing import asking, sending
from backend.payments.gateway import Order
from tests.support.benches import BENCHES
from tests.support.benches.bench import Bench
from tests.support.benches.razorpay import RazorpayBench


@pytest.fixture(scope="module", params=sorted(BENCHES))
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One fake gateway for all tests of a module; each test has orders of its own."""
    made = BENCHES[request.param](tmp_path_factory.mktemp(request.param))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def razorpay() -> Iterator[RazorpayBench]:
    made = RazorpayBench(Path())
    yield made
    made.stop()


@pytest.fixture
def by_hand(razorpay: RazorpayBench) -> Iterator[None]:
    """An account that does not capture by itself."""
    razorpay.fake.books.captures_by_itself = False
    yield
    razorpay.fake.books.captures_by_itself = True


@pytest.fixture
def order(razorpay: RazorpayBench) -> Order:
    """One that has a link at Razorpay."""
    order = razorpay.new_order()
    razorpay.gateway.ensure_order(order)
    return order


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> float:
    """An adapter gives up after a tenth of its time; how long that is at most, in seconds."""
    monkeypatch.setattr(sending, "TIMEOUT_SECONDS", tuple(each / 10 for each in sending.TIMEOUT_SECONDS))
    monkeypatch.setattr(asking, "TOTAL_SECONDS", asking.TOTAL_SECONDS / 10)
    return asking.TOTAL_SECONDS


@pytest.fixture
def asked_by_us(bench: Bench, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever of us asks a gateway, asks this one."""
    settings.PAYMENT_GATEWAY = bench.name
    for module in (
        "workers.payments",
        "backend.bookings.lifecycle.payments",
        "backend.api.hooks",
        "backend.ops.reconciler",
    ):
        monkeypatch.setattr(f"{module}.gateway_named", lambda _: bench.gateway)
