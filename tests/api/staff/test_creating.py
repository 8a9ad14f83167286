"""A request that staff enter through their API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry, Origin
from tests.support import api
from tests.support.staff_api import (
    SUMMARY,
    Desk,
)

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]


def test_a_request_that_a_caller_of_the_api_sends_twice_counts_once(staff: Desk, now: datetime) -> None:
    first, again = (api.done(staff.post("", api.form(now)), 201) for _ in range(2))
    assert first["acknowledgement_id"] == again["acknowledgement_id"]
    assert Booking.objects.count() == LedgerEntry.objects.count() == 1
    other = api.done(staff.post("", api.form(now, full_name="Asha's brother")), 201)
    assert other["acknowledgement_id"] != first["acknowledgement_id"]


def test_a_request_by_telephone_is_born_pending_with_its_id(staff: Desk, now: datetime) -> None:
    body = api.done(staff.post("", api.form(now)), 201)
    booking = Booking.objects.get()
    assert set(body) == SUMMARY
    assert (body["acknowledgement_id"], body["status"]) == (booking.acknowledgement_id, State.PENDING)
    assert (booking.origin, booking.verified_at) == (Origin.STAFF, now)
    assert LedgerEntry.objects.get(booking=booking).actor == "staff:desk"


def test_a_request_by_telephone_needs_a_name_and_one_way_to_reach_them(staff: Desk, now: datetime) -> None:
    sent = api.form(now)
    for name in ("email", "city", "age", "gender", "emergency_contact"):
        del sent[name]
    body = api.done(staff.post("", sent), 201)
    assert (body["email"], body["phone_number"], body["payment_mode"]) == ("", "9876543210", "OFFLINE")
    assert api.post(api.DRAFT, sent).status_code == 400


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"age": 12}, "age_refused", "age"),
        ({"preferred_date": "2026-11-22"}, "date_past", "preferred_date"),
        ({"consent_given": False}, "invalid", "consent_given"),
        ({"phone_number": "12"}, "invalid", "phone_number"),
        ({"phone_number": "", "email": ""}, "contact_required", "phone_number"),
    ],
)
def test_a_request_by_telephone_obeys_the_rules_of_the_form(
    staff: Desk, change: dict[str, Any], code: str, field: str, now: datetime
) -> None:
    assert field in api.error(staff.post("", api.form(now, **change)), 400, code)["errors"]
    assert not Booking.objects.exists()
