"""One booking in the staff API, and the people and places to choose from."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.bookings.lifecycle import refunds
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.people.models import Corporate, Location
from tests.support import api, factories, scenarios
from tests.support.database_rows import everything
from tests.support.scenarios import ASHA
from tests.support.staff_api import (
    LISTS,
    SUMMARY,
    Desk,
    valid_bodies,
)

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]


def test_one_booking_is_shown_whole_with_ledger_money_and_the_fate_of_its_mails(staff: Desk, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refunds.grant_refund(booking.pk, 50_000, actor="staff:desk", now=now)
    with CaptureQueriesContext(connection) as queries:
        body = api.done(staff.get(f"{booking.acknowledgement_id}/"))
    assert len(queries) <= 13
    assert set(body) > SUMMARY
    assert body["user_message"] == "I would like to talk to someone."
    assert (body["email"], body["state"], body["payment_status"]) == (ASHA, "Maharashtra", "refund_under_way")
    assert [entry["sequence"] for entry in body["ledger"]] == list(range(1, len(body["ledger"]) + 1))
    assert (body["ledger"][-1]["intent"], body["ledger"][-1]["actor"]) == ("grant_refund", "staff:desk")
    (payment,) = body["payments"]
    assert (payment["captured"], payment["refunds"][0]["amount"]) == ("1500.00", "500.00")
    (receipt,) = payment["receipts"]
    assert (receipt["number"], receipt["kind"], receipt["amount"]) == ("MS/26-27/000001", "receipt", "1500.00")
    mails = {message["kind"]: message["state"] for message in body["messages"]}
    assert mails[Notice.BOOKING_CONFIRMED] == "waiting"
    assert scenarios.token_of(booking, Notice.BOOKING_CONFIRMED) not in str(body)


@pytest.mark.parametrize("state", State)
def test_a_booking_is_shown_in_every_state(staff: Desk, state: State, now: datetime) -> None:
    booking = factories.make_booking(state, now=now)
    body = api.done(staff.get(f"{booking.acknowledgement_id.lower()}/"))
    assert (body["acknowledgement_id"], body["status"]) == (booking.acknowledgement_id, state)


@pytest.mark.parametrize("unknown", ["MS-000000", "nonsense", "0", "%00", "%E4%BD%A0", "..%2f"])
def test_an_unknown_booking_is_404(staff: Desk, unknown: str) -> None:
    api.error(staff.get(f"{unknown}/"), 404, "not_found" if unknown == "..%2f" else "booking_unknown")
    if unknown != "..%2f":
        for action, body in valid_bodies(scenarios.psychologist().pk, datetime.now().astimezone()).items():
            api.error(staff.post(f"{unknown}/{action}/", body), 404, "booking_unknown")


def test_reading_changes_nothing(staff: Desk, various: dict[State, Booking]) -> None:
    unchanged = everything()
    for path in ("", f"{various[State.PENDING].acknowledgement_id}/", *LISTS):
        api.done(staff.get(path))
        assert staff.send("HEAD", path).status_code == 200
    assert everything() == unchanged


def test_the_people_and_places_to_choose_from(staff: Desk) -> None:
    place = Location.objects.create(name="Baner", address="12 Baner Road, Pune")
    who = scenarios.psychologist(location=place, fee_paise=99_905)
    other = scenarios.psychologist("Dr. Zoya Khan", is_active=False)
    acme = Corporate.objects.create(name="Acme")
    shown = [api.done(staff.get(path))[name] for path, name in LISTS.items()]
    baner = {"id": place.pk, "name": "Baner", "address": "12 Baner Road, Pune"}
    assert shown[1:] == [[baner], [{"id": acme.pk, "name": "Acme", "is_active": True}]]
    first, second = shown[0]
    assert (first["id"], first["fee"], first["location"]) == (who.pk, "999.05", baner)
    assert (second["id"], second["fee"], second["is_active"], second["location"]) == (other.pk, "1500.00", False, None)
