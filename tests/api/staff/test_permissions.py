"""Who may read and who may act through the staff API."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import User

from backend.bookings.machine import State
from tests.support import api, factories, scenarios
from tests.support.staff_api import (
    ACTIONS,
    CHANGE,
    LISTS,
    LOGIN,
    LOGOUT,
    VIEW,
    Desk,
    desk,
)

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]


@pytest.mark.parametrize("change", [{"is_staff": False}, {"is_active": False}])
def test_who_left_the_staff_is_refused_at_once(staff: Desk, change: dict[str, bool]) -> None:
    User.objects.update(**change)
    if "is_active" in change:
        api.error(staff.get(), 401, "not_authenticated")
    else:
        api.error(staff.get(), 403, "forbidden")
        api.error(staff.post(LOGOUT), 403, "forbidden")


def test_reading_needs_one_permission_and_acting_the_other(now: datetime) -> None:
    booking = factories.make_booking(State.PENDING, now=now)
    reads = ("", f"{booking.acknowledgement_id}/", *LISTS)
    acts = ("", *(f"{booking.acknowledgement_id}/{action}/" for action in ACTIONS))
    reader, nobody, changer = desk(VIEW), desk("add_booking", username="nobody"), desk(CHANGE, username="changer")
    for path in reads:
        api.done(reader.get(path))
        api.done(changer.get(path))
        api.error(nobody.get(path), 404, "not_found")
    for path in acts:
        api.error(reader.post(path, {}), 404, "not_found")
        api.error(nobody.post(path, {}), 404, "not_found")
    assert scenarios.again(booking).ledger_sequence == booking.ledger_sequence


def test_a_wrong_method_is_405(staff: Desk, now: datetime) -> None:
    one = factories.make_booking(State.PENDING, now=now).acknowledgement_id
    for method, path in (("PUT", ""), ("DELETE", f"{one}/"), ("GET", f"{one}/approve/"), ("GET", LOGIN)):
        api.error(staff.send(method, path), 405, "method_not_allowed")
    api.error(staff.send("TRACE", f"{one}/room/"), 405, "method_not_allowed")  # who may not enter a room, either
