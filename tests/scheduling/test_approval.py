"""A request approved with a free slot: the first that fits by itself, or one that staff choose, by API and admin."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from backend.bookings.lifecycle.first_fit import approve_first_fit
from backend.bookings.lifecycle.session_terms import Approval
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.core.errors import Code, Refused
from backend.people.models import Language, Psychologist
from tests.support import api, scenarios, working_hours
from tests.support.admin_site import action_url, owner, page_url, session_form, written
from tests.support.scenarios import RAVI
from tests.support.staff_api import Desk, desk
from tests.support.working_hours import asked, at

# the queries are those of test_free_slots.py, and what two want at once is raced for in test_races_slots.py
pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]

DAY = timedelta(days=1)


@pytest.fixture
def who() -> Psychologist:
    return working_hours.psychologist(hours="09:00 21:00", session_minutes=60, buffer_minutes=0)


# -- the first that fits -----------------------------------------------------------------------------------------------


def auto(booking: Booking, *, now: datetime, who: int | None = None, **changes: Any) -> Booking:
    return approve_first_fit(booking.pk, Approval(who, None), actor="staff:desk", now=now, **changes)


def no_fit(booking: Booking, *, now: datetime, **changes: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        auto(booking, now=now, **changes)
    return refused.value


def test_approving_by_itself_takes_the_first_slot_that_fits(who: Psychologist, now: datetime) -> None:
    booking = auto(asked(now=now), now=now)
    assert (booking.state, booking.psychologist, booking.slot_start) == (State.APPROVED, who, at("09:00"))
    second = auto(asked(now=now, email=RAVI), now=now)
    assert second.slot_start == at("10:00")


def test_it_takes_nothing_that_the_visitor_did_not_ask_for(who: Psychologist, now: datetime) -> None:
    working_hours.away(who, at("00:00"), at("14:00"))
    error = no_fit(asked(now=now), now=now)
    assert error.code is Code.NO_FREE_SLOT
    free = error.context["free_slots"]
    assert isinstance(free, list)
    assert [slot.start for slot in free] == [at("14:00"), at("15:00"), at("16:00")]


def test_it_keeps_to_the_psychologist_and_language_that_staff_name(who: Psychologist, now: datetime) -> None:
    other = working_hours.psychologist("Dr. Other", hours="10:00 11:00")
    other.languages.add(Language.objects.create(name="Hindi"))
    assert auto(asked(now=now), now=now, language="Hindi").psychologist == other
    assert no_fit(asked(now=now, email=RAVI), now=now, who=other.pk).code is Code.NO_FREE_SLOT


@pytest.mark.parametrize("is_known", [True, False])
def test_what_is_refused_for_another_reason_is_not_tried_again(
    is_known: bool, who: Psychologist, now: datetime
) -> None:
    booking = scenarios.approved(now=now, who=who, at=at("09:00"))
    code = Code.STATE_REFUSES if is_known else Code.BOOKING_UNKNOWN
    with pytest.raises(Refused) as refused:
        approve_first_fit(booking.pk if is_known else 0, Approval(None, None), actor="staff:desk", now=now)
    assert refused.value.code is code
    minor = asked(now=now, email=RAVI, age=15)
    assert no_fit(minor, now=now).code is Code.GUARDIAN_CONSENT_REQUIRED


# -- through the staff API ---------------------------------------------------------------------------------------------


@pytest.fixture
def staff_desk() -> Desk:
    return desk()


def test_staff_ask_for_suggestions(staff_desk: Desk, who: Psychologist, now: datetime) -> None:
    booking = asked(now=now)
    body = api.done(staff_desk.get(f"{booking.acknowledgement_id}/suggestions/"))
    assert body["time_zone"] == "Asia/Kolkata"
    assert len(body["suggestions"]) == 10
    assert body["suggestions"][0] == {
        "psychologist_id": who.pk,
        "start": "2026-11-25T09:00:00+05:30",
        "end": "2026-11-25T10:00:00+05:30",
        "fits": True,
    }
    narrowed = staff_desk.get(f"{booking.acknowledgement_id}/suggestions/", {"psychologist_id": "987654"})
    assert api.done(narrowed)["suggestions"] == []
    wrong = staff_desk.get(f"{booking.acknowledgement_id}/suggestions/", {"psychologist_id": "x"})
    assert set(api.error(wrong, 400, "invalid")["errors"]) == {"psychologist_id"}
    api.error(staff_desk.get("MS-000000/suggestions/"), 404, "booking_unknown")


def test_staff_approve_with_the_first_that_fits(staff_desk: Desk, who: Psychologist, now: datetime) -> None:
    body = api.done(staff_desk.act(asked(now=now), "approve", {"auto": True}))
    assert (body["status"], body["slot_start"]) == ("APPROVED", "2026-11-25T03:30:00Z")
    working_hours.away(who, at("00:00"), at("14:00"))
    refused = api.error(staff_desk.act(asked(now=now, email=RAVI), "approve", {"auto": True}), 409, "no_free_slot")
    assert refused["free_slots"][0] == {"start": "2026-11-25T08:30:00Z", "end": "2026-11-25T09:30:00Z"}


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"auto": True, "slot_start": "2026-11-25T10:00:00+05:30"}, {"slot_start"}),
        ({"auto": True, "slot_minutes": 90}, {"slot_minutes"}),
        ({"auto": False}, {"psychologist_id", "slot_start"}),
        ({"auto": "yes"}, {"auto"}),
        ({"auto": True, "despite_hours": "yes"}, {"despite_hours"}),
    ],
)
def test_a_contradiction_is_refused_with_its_field(
    body: dict[str, Any], wrong: set[str], staff_desk: Desk, who: Psychologist, now: datetime
) -> None:
    answer = staff_desk.act(asked(now=now), "approve", body)
    assert set(api.error(answer, 400, "invalid")["errors"]) == wrong


def test_staff_book_outside_the_hours_when_they_say_so(staff_desk: Desk, who: Psychologist, now: datetime) -> None:
    booking, late = asked(now=now), "2026-11-25T22:00:00+05:30"
    decided = {"psychologist_id": who.pk, "slot_start": late}
    refused = api.error(staff_desk.act(booking, "approve", decided), 409, "outside_hours")
    assert "despite_hours" in refused["detail"]
    assert len(refused["free_slots"]) == 3
    api.done(staff_desk.act(booking, "approve", {**decided, "despite_hours": True}))
    move = {"slot_start": "2026-11-26T22:00:00+05:30"}
    api.error(staff_desk.act(booking, "reschedule", move), 409, "outside_hours")
    api.done(staff_desk.act(booking, "reschedule", {**move, "despite_hours": True}))


def test_staff_see_what_was_wished_for(staff_desk: Desk, who: Psychologist, now: datetime) -> None:
    booking = asked(now=now, preferred_psychologist_id=who.pk, preferred_slot_start=at("10:00"))
    body = api.done(staff_desk.get(f"{booking.acknowledgement_id}/"))
    assert body["preferred_psychologist"] == {"id": who.pk, "name": who.full_name}
    assert body["preferred_slot_start"] == "2026-11-25T04:30:00Z"


# -- through the admin -------------------------------------------------------------------------------------------------


@pytest.fixture
def browser() -> Browser:
    return owner()


def offered(browser: Browser, booking: Booking) -> dict[str, list[tuple[str, str]]]:
    fields = browser.get(action_url(booking, "approve")).context["form"].fields
    return {name: group for name, group in fields["offered"].choices if isinstance(group, list)}


def test_staff_choose_among_slots_that_suit_the_request(browser: Browser, who: Psychologist, now: datetime) -> None:
    booking = asked(now=now)
    groups = offered(browser, booking)
    value, label = groups["As the visitor asked"][1]
    assert label == "Wed 25 Nov 2026, 10:00 IST, Dr. Meera Iyer"
    assert groups["Near to it"]
    nothing_typed = session_form(booking, None, "", offered=value)
    assert browser.post(action_url(booking, "approve"), nothing_typed, follow=True).redirect_chain
    booking = scenarios.again(booking)
    assert (booking.state, booking.psychologist, booking.slot_start) == (State.APPROVED, who, at("10:00"))


def test_a_chosen_slot_counts_instead_of_what_is_typed(browser: Browser, who: Psychologist, now: datetime) -> None:
    booking = asked(now=now)
    (value, _), *_ = offered(browser, booking)["As the visitor asked"]
    typed = session_form(
        booking, working_hours.psychologist("Dr. Other"), "2026-11-27 99:99", offered=value, length="0"
    )
    browser.post(action_url(booking, "approve"), typed)
    assert (scenarios.again(booking).psychologist, scenarios.again(booking).slot_end) == (who, at("10:00"))


def test_a_chosen_slot_that_is_gone_is_refused_with_others(browser: Browser, who: Psychologist, now: datetime) -> None:
    booking = asked(now=now)
    (value, _), *_ = offered(browser, booking)["As the visitor asked"]
    scenarios.approved(RAVI, now=now, who=who, at=at("09:00"))
    before = written()
    answer = browser.post(action_url(booking, "approve"), session_form(booking, None, offered=value))
    assert answer.status_code == 409
    assert "another session at this time. Free near it: Wed 25 Nov 2026, 10:00 IST" in answer.content.decode()
    assert written() == before


@pytest.mark.parametrize("value", ["x", "1@", "1@2026-11-25T10:00:00", "@2026-11-25T10:00:00+05:30"])
def test_a_forged_choice_is_refused(value: str, browser: Browser, who: Psychologist, now: datetime) -> None:
    booking = asked(now=now)
    answer = browser.post(action_url(booking, "approve"), session_form(booking, who, offered=value))
    assert answer.status_code == 400
    assert set(answer.context["form"].errors) == {"offered"}


def test_without_hours_nothing_is_offered_and_staff_type_as_before(browser: Browser, now: datetime) -> None:
    nobody = working_hours.psychologist(hours="")
    booking = asked(now=now)
    fields = browser.get(action_url(booking, "approve")).context["form"].fields
    assert not {"offered", "despite_hours"} & set(fields)
    assert browser.post(action_url(booking, "approve"), session_form(booking, nobody)).status_code == 302
    missing = asked(now=now, email=RAVI)
    answer = browser.post(action_url(missing, "approve"), session_form(missing, nobody, ""))
    assert set(answer.context["form"].errors) == {"slot_start"}


def test_a_time_outside_the_hours_is_looked_at_twice(browser: Browser, who: Psychologist, now: datetime) -> None:
    booking = asked(now=now)
    typed = session_form(booking, who, "2026-11-25 22:00")
    answer = browser.post(action_url(booking, "approve"), typed)
    assert answer.status_code == 409
    assert "Look twice before you book it." in str(answer.context["form"].errors["despite_hours"])
    browser.post(action_url(booking, "approve"), {**typed, "despite_hours": "on"})
    moved = session_form(booking, None, "2026-11-26 22:00")
    assert browser.post(action_url(booking, "reschedule"), moved).status_code == 409
    browser.post(action_url(booking, "reschedule"), {**moved, "despite_hours": "on"})
    assert scenarios.again(booking).slot_start == at("22:00", date(2026, 11, 26))


def test_no_length_is_proposed_where_psychologists_have_their_own(browser: Browser, now: datetime) -> None:
    own = working_hours.psychologist(session_minutes=50)
    booking = asked(now=now)
    assert "length" not in browser.get(action_url(booking, "approve")).context["form"].initial
    browser.post(action_url(booking, "approve"), session_form(booking, own, "2026-11-25 10:00", length=""))
    assert scenarios.again(booking).slot_end == at("10:50")


def test_a_wish_is_shown_and_fills_the_form(browser: Browser, who: Psychologist, now: datetime) -> None:
    booking = asked(now=now, preferred_psychologist_id=who.pk, preferred_slot_start=at("10:00"))
    wish = "Dr. Meera Iyer, Wed 25 Nov 2026, 10:00 IST"
    assert wish in browser.get(page_url(booking)).content.decode()
    page = browser.get(action_url(booking, "approve"))
    assert wish in page.content.decode()
    initial = page.context["form"].initial
    assert (initial["psychologist"], initial["slot_start"]) == (who.pk, at("10:00"))
