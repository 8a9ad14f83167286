"""The year lives, and would say what does not hold: two days of it, over the test's own database."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from backend.bookings.machine import State
from backend.bookings.models import Booking
from tests.simulate import figures, holding, year
from tests.support.gateway import SECRET, Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only]


@pytest.mark.usefixtures("sandbox_payments")
def test_a_year_of_two_days_holds_and_says_what_it_cost(
    sandbox: Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SANDBOX_URL, settings.SANDBOX_SECRET, settings.ALLOW_SANDBOX_PAYMENTS = sandbox.url, SECRET, True
    monkeypatch.setattr(year, "MONTH", 1)
    first, second = year.live(2, 3, random.Random(5), os.getpid())
    assert (first.broken, second.broken) == ([], [])
    assert second.bookings == first.made + second.made > 4
    assert second.mails > first.mails > 4
    assert all(cost > 0 for cost in second.costs.values())
    assert figures.draw([first, second]).stat().st_size > 1000
    assert Booking.objects.filter(state=State.CONFIRMED).exists()
    with time_machine.travel(datetime.now(UTC) + timedelta(days=4000), tick=False):
        assert any("should have left" in sentence for sentence in holding.broken())
    Booking.objects.filter(state=State.CONFIRMED).update(amount_paise=1)
    assert any("its sum is not what was paid" in sentence for sentence in holding.broken())
