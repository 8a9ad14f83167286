"""The year lives, and would say what does not hold: two days of it, over the test's own database."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.payments.models import Payment
from tests.simulate import figures, gateway, holding, year
from tests.support.gateway import SECRET, environment
from tests.support.server import free_port

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only]


@pytest.mark.usefixtures("sandbox_payments")
def test_a_year_of_two_days_holds_and_says_what_it_cost(
    settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings.SANDBOX_URL = f"http://127.0.0.1:{free_port()}"
    settings.SANDBOX_SECRET, settings.ALLOW_SANDBOX_PAYMENTS = SECRET, True
    monkeypatch.setattr(year, "MONTH", 1)
    with gateway.running(environment(tmp_path, SANDBOX_URL=settings.SANDBOX_URL)) as tell:
        first, second = year.live(2, 3, random.Random(5), os.getpid(), tell)
    assert (first.broken, second.broken) == ([], [])
    assert second.bookings == first.made + second.made > 4
    assert second.mails > first.mails > 4
    assert all(cost > 0 for cost in second.costs.values())
    assert figures.draw([first, second]).stat().st_size > 1000
    assert Booking.objects.filter(state=State.CONFIRMED).exists()
    assert not Payment.objects.filter(state="captured", compared_at=None).exists()  # the gateway lists by our clock
    with time_machine.travel(datetime.now(UTC) + timedelta(days=4000), tick=False):
        broken = holding.broken()
        assert any("should have left" in sentence for sentence in broken)
        assert any("our books were last compared" in sentence for sentence in broken)
    Booking.objects.filter(state=State.CONFIRMED).update(amount_paise=1)
    assert any("its sum is not what was paid" in sentence for sentence in holding.broken())
