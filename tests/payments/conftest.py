"""The gateways' benches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from backend.payments import asking, sending
from tests.support.benches import BENCHES
from tests.support.benches.bench import Bench


@pytest.fixture(scope="module", params=sorted(BENCHES))
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One fake gateway for all tests of a module; each test has orders of its own."""
    made = BENCHES[request.param](tmp_path_factory.mktemp(request.param))
    yield made
    made.stop()


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
