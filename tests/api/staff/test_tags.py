"""ETag and If-Match: a change is made only to the booking as it was read."""

from __future__ import annotations

from datetime import datetime

import pytest

from backend.bookings.machine import State
from tests.support import api, scenarios
from tests.support.staff_api import BOOKINGS, desk

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]
ACTIONS = {"reject": {}, "cancel": {}, "offer-choice": {}, "desk-payment": {}, "outcome": {"outcome": "attended"}}


def test_what_was_read_can_be_changed_once(now: datetime) -> None:
    booking, staff = scenarios.pending(now=now), desk()
    one = f"{BOOKINGS}{booking.acknowledgement_id}/"
    read = staff.get(one)
    done = staff.post(f"{one}reject/", {}, if_match=read["ETag"])
    assert (read["ETag"], done.status_code, done["ETag"]) == ('"2"', 200, '"3"')
    api.error(staff.post(f"{one}reject/", {}, if_match=read["ETag"]), 412, "changed_since")


@pytest.mark.parametrize(
    ("action", "tag"),
    [*((action, '"1"') for action in ACTIONS), ("reject", '"3"'), ("reject", "2"), ("reject", 'W/"2"')],
)
def test_anything_else_is_refused_before_anything_is_done(action: str, tag: str, now: datetime) -> None:
    booking, staff = scenarios.pending(now=now), desk()
    path = f"{BOOKINGS}{booking.acknowledgement_id}/{action}/"
    api.error(staff.post(path, ACTIONS[action], if_match=tag), 412, "changed_since")
    assert scenarios.again(booking).state == State.PENDING


def test_without_a_tag_or_with_any_nothing_is_compared(now: datetime) -> None:
    booking, staff = scenarios.pending(now=now), desk()
    assert staff.post(f"{BOOKINGS}{booking.acknowledgement_id}/reject/", {}, if_match="*").status_code == 200
