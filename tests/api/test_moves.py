"""Another time for a session, by the token of its newest mail: what is listed, what moves, and who comes too late."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.conf import settings

from backend.bookings import policy
from backend.bookings.models import Booking, Purpose
from backend.bookings.notices import Notice
from backend.people.models import Psychologist
from tests.support import api, scenarios, working_hours
from tests.support.database_rows import everything
from tests.support.scenarios import RAVI

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]

DAY = timedelta(days=1)
TOMORROW = {"from": "2026-11-24", "to": "2026-11-24"}


@pytest.fixture
def who() -> Psychologist:
    return working_hours.psychologist(hours="10:00 12:30")


@pytest.fixture
def booking(who: Psychologist, now: datetime) -> Booking:
    return scenarios.confirmed(now=now, who=who, at=now + 8 * DAY)


def token_of(booking: Booking) -> str:
    return scenarios.token_of(booking, Notice.BOOKING_CONFIRMED, Purpose.RESCHEDULE)


def chosen(booking: Booking, time: str) -> dict[str, object]:
    return {"token": token_of(booking), "psychologist": booking.psychologist_id, "start": f"2026-11-24T{time}+05:30"}


def test_what_is_listed_can_be_chosen_and_only_the_choice_moves(booking: Booking) -> None:
    unchanged = everything()
    listed = api.done(api.get(api.MOVE, {"token": token_of(booking), **TOMORROW}))
    assert listed["time_zone"] == "Asia/Kolkata"
    assert [slot["start"] for slot in listed["slots"]] == ["2026-11-24T10:00:00+05:30", "2026-11-24T11:15:00+05:30"]
    assert everything() == unchanged
    moved = api.done(api.post(api.MOVE, chosen(booking, "11:15")))["booking"]
    assert moved["status"] == "CONFIRMED"
    assert datetime.fromisoformat(moved["approved_slot_start"]) == datetime.fromisoformat("2026-11-24T11:15+05:30")
    after = everything()
    assert api.done(api.post(api.MOVE, chosen(booking, "10:00")))["booking"] == moved  # the link is used
    assert everything() == after
    api.error(api.get(api.MOVE, {"token": token_of(booking)}), 410, "link_expired")


def test_who_comes_second_or_chooses_what_is_not_offered_moves_nothing(
    booking: Booking, who: Psychologist, now: datetime
) -> None:
    scenarios.approved(RAVI, now=now, who=who, at=now + DAY)
    unchanged = everything()
    for time in ("10:00", "13:00"):
        api.error(api.post(api.MOVE, chosen(booking, time)), 409, "slot_taken")
    problem = api.error(api.post(api.MOVE, {"token": token_of(booking)}), 400, "invalid")
    assert problem["errors"].keys() == {"psychologist", "start"}
    assert everything() == unchanged


def test_what_may_be_done_names_this_address(booking: Booking) -> None:
    shown = api.done(api.post(api.VERIFY, {"token": scenarios.token_of(booking)}))["booking"]
    move = next(action for action in shown["allowed_actions"] if action["action"] == "move")
    assert (move["method"], move["address"]) == ("POST", f"{settings.PUBLIC_URL}{api.MOVE}")
    assert move["send"] == list(chosen(booking, "10:00"))


def test_a_list_is_refused_where_the_page_is(booking: Booking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "MOVES_BY_VISITOR", 0)
    api.error(api.get(api.MOVE, {"token": token_of(booking)}), 409, "moves_used_up")
