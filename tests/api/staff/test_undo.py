"""A decision through the API that waits, and is taken back."""

from __future__ import annotations

from datetime import datetime

import pytest

from backend.bookings.machine import State
from tests.support import api, scenarios
from tests.support.staff_api import desk

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]


def test_a_rejection_that_waits_is_taken_back_and_one_that_does_not_is_not(now: datetime) -> None:
    first, second, staff = scenarios.pending(now=now), scenarios.pending("ravi@example.org", now=now), desk()
    api.done(staff.act(first, "reject", {"undoable": True}))
    api.done(staff.act(second, "reject"))
    assert api.done(staff.act(first, "undo"))["status"] == State.PENDING
    api.error(staff.act(second, "undo"), 409, "undo_closed")


def test_a_series_is_moved_only_as_it_was_read(now: datetime) -> None:
    booking, staff = scenarios.confirmed(now=now), desk()
    sent = {"first_start": scenarios.slot_tomorrow(now, hour=8).isoformat(), "despite_hours": True}
    for action, body in (("move-series", sent), ("cancel-series", {}), ("follow-up", {"count": 1})):
        answer = staff.post(f"{booking}/{action}/", body, if_match='"1"')
        api.error(answer, 412, "changed_since")
    assert scenarios.again(booking).state == State.CONFIRMED
