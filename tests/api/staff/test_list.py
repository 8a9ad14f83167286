"""The list of bookings in the staff API: what it shows, finds and refuses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.bookings.machine import State
from backend.bookings.models import Booking
from tests.support import api, factories, scenarios
from tests.support.staff_api import (
    SUMMARY,
    Desk,
)

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]


def ids(response: Any) -> list[str]:
    return [row["acknowledgement_id"] for row in api.done(response)["bookings"]]


def test_the_list_shows_every_booking_newest_first_without_the_visitors_words(
    staff: Desk, various: dict[State, Booking]
) -> None:
    response = staff.get()
    assert ids(response) == [booking.acknowledgement_id for booking in reversed(various.values())]
    body = api.done(response)
    assert body["next"] is None
    assert all(set(row) == SUMMARY for row in body["bookings"])
    assert "not slept well" not in response.content.decode()
    paid = next(row for row in body["bookings"] if row["status"] == State.CONFIRMED)
    assert (paid["amount"], paid["slot_start"]) == ("1500.00", "2026-11-24T12:00:00Z")
    assert paid["psychologist"] == {"id": various[State.CONFIRMED].psychologist_id, "name": "Dr. Meera Iyer"}


@pytest.mark.parametrize("state", State)
def test_the_list_is_narrowed_by_state(staff: Desk, various: dict[State, Booking], state: State) -> None:
    assert ids(staff.get(query={"state": state})) == [various[state].acknowledgement_id]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"preferred_from": "2026-11-30"}, {State.CANCELLED, State.PAYMENT_FAILED}),
        ({"preferred_from": "2026-11-24", "preferred_until": "2026-11-25"}, {State.PENDING, State.APPROVED}),
        ({"due_before": "2026-11-23T17:00:00Z"}, {State.PAYMENT_PENDING, State.APPROVED}),
        ({"due_before": "2026-11-23T22:30:00+05:30"}, {State.PAYMENT_PENDING, State.APPROVED}),
        ({"q": "pending p"}, {State.PENDING, State.PAYMENT_PENDING}),
        ({"q": "REJECTED@example"}, {State.REJECTED}),
        ({"q": "00004"}, {State.CONFIRMED}),
        ({"q": "%"}, set()),
        ({"q": "nobody"}, set()),
        ({"mode": "OFFLINE"}, set()),
        ({"mode": "ONLINE", "state": "DRAFT"}, {State.DRAFT}),
        ({"state": "", "q": "", "limit": "", "after": ""}, set(State)),
    ],
)
def test_the_list_is_narrowed(
    staff: Desk, various: dict[State, Booking], query: dict[str, str], found: set[State]
) -> None:
    assert set(ids(staff.get(query=query))) == {various[state].acknowledgement_id for state in found}


def test_the_list_finds_ids_as_people_type_them_and_sessions_of_a_psychologist(
    staff: Desk, various: dict[State, Booking]
) -> None:
    booking = various[State.APPROVED]
    for typed in (booking.acknowledgement_id, booking.acknowledgement_id.lower(), booking.acknowledgement_id[3:]):
        assert ids(staff.get(query={"q": typed})) == [booking.acknowledgement_id]
    query = {"psychologist_id": str(booking.psychologist_id)}
    assert ids(staff.get(query=query)) == [booking.acknowledgement_id]


def test_the_list_comes_in_pages_that_new_bookings_do_not_shift(
    staff: Desk, various: dict[State, Booking], now: datetime
) -> None:
    expected = [booking.acknowledgement_id for booking in reversed(various.values())]
    seen: list[str] = []
    after = ""
    while True:
        body = api.done(staff.get(query={"limit": "4", "after": after}))
        seen += [row["acknowledgement_id"] for row in body["bookings"]]
        scenarios.submitted(f"new{len(seen)}@example.org", now=now)
        if body["next"] is None:
            break
        after = body["next"]
    assert seen == expected


def test_the_page_after_the_last_booking_is_empty_and_after_an_unknown_one_404(
    staff: Desk, various: dict[State, Booking]
) -> None:
    assert ids(staff.get(query={"after": various[State.DRAFT].acknowledgement_id})) == []
    for unknown in ("MS-000000", "nonsense"):
        api.error(staff.get(query={"after": unknown}), 404, "booking_unknown")


@pytest.mark.parametrize(
    "query",
    [
        {"state": "pending"},
        {"mode": "BY_POST"},
        {"psychologist_id": "0"},
        {"psychologist_id": "99999999999999999999"},
        {"preferred_from": "2026-13-01"},
        {"preferred_until": "tomorrow"},
        {"due_before": "2026-11-23T17:00:00"},
        {"due_before": "0001-01-01T00:00:00+14:00"},
        {"q": "\x00"},
        {"q": "x" * 101},
        {"limit": "101"},
        {"limit": "0"},
        {"limit": "-1"},
        {"after": "x" * 41},
    ],
)
def test_a_filter_that_cannot_be_read_is_400(staff: Desk, query: dict[str, str]) -> None:
    assert set(api.error(staff.get(query=query), 400, "invalid")["errors"]) == set(query)


def test_the_list_costs_four_queries_and_its_record_however_long_it_is(staff: Desk, now: datetime) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            api.done(staff.get(query={"limit": "100", "q": "a", "state": "PENDING"}))
        return len(queries)

    factories.make_booking(State.PENDING, now=now)
    few = cost()
    for number in range(20):
        factories.make_booking(State.PENDING, now=now, email=f"v{number}@example.org")
    assert cost() == few == 4 + 1  # the INSERT that tells who searched, and whose numbers were shown
