"""The public lists of free slots and psychologists, and the wish that a draft may carry."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.bookings.lifecycle import approval, timers, visitor
from backend.bookings.models import Booking, Purpose
from backend.bookings.notices import Notice
from backend.people.models import HoursMode, Language, Location, Psychologist, Specialization
from tests.support import api, scenarios, shapes, working_hours
from tests.support.working_hours import at

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]

SLOTS, PEOPLE = "/api/slots/", "/api/psychologists/"
ON_WEDNESDAY = {"from": "2026-11-25", "to": "2026-11-25"}


def slots(query: dict[str, str] | None = None) -> list[dict[str, Any]]:
    return api.done(api.get(SLOTS, ON_WEDNESDAY if query is None else query))["slots"]


def starts(**query: str) -> list[str]:
    return [slot["start"][11:16] for slot in slots(ON_WEDNESDAY | query)]


# -- slots -------------------------------------------------------------------------------------------------------------


def test_a_slot_is_told_with_its_times_in_the_zone_that_the_answer_names() -> None:
    who = working_hours.psychologist(hours="10:00 11:00")
    body = api.done(api.get(SLOTS, ON_WEDNESDAY))
    assert body == {
        "time_zone": "Asia/Kolkata",
        "slots": [
            {
                "psychologist": who.pk,
                "start": "2026-11-25T10:00:00+05:30",
                "end": "2026-11-25T11:00:00+05:30",
                "modes": ["ONLINE"],
            }
        ],
    }


def test_both_days_are_included_and_a_week_is_told_when_none_is_named() -> None:
    working_hours.psychologist(hours="10:00 11:00")
    assert [slot["start"][:10] for slot in slots({"from": "2026-11-25", "to": "2026-11-26"})] == [
        "2026-11-25",
        "2026-11-26",
    ]
    week = [slot["start"][:10] for slot in slots({})]  # of Monday; Monday's and today's notice has passed
    assert week == ["2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27", "2026-11-28", "2026-11-29"]
    assert len(slots({"from": "2026-11-25", "to": "2026-12-25"})) == 31


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ({"from": "2026-11-25", "to": "2026-12-26"}, "to"),
        ({"from": "2026-11-25", "to": "2026-11-24"}, "to"),
        ({"to": "2026-11-22"}, "to"),
        ({"from": "25.11.2026"}, "from"),
        ({"to": "9999-12-31"}, "to"),
        ({"from": "9999-12-31"}, "from"),
        ({"from": "0001-01-01"}, "from"),
        ({"mode": "online"}, "mode"),
        ({"psychologist": "Meera"}, "psychologist"),
        ({"psychologist": "0"}, "psychologist"),
        ({"language": "x" * 41}, "language"),
        ({"specialization": "a\x00b"}, "specialization"),
    ],
)
def test_a_wrong_question_is_refused_with_its_field(query: dict[str, str], wrong: str) -> None:
    assert set(api.error(api.get(SLOTS, query), 400, "invalid")["errors"]) == {wrong}


def test_the_list_can_be_narrowed() -> None:
    online = working_hours.psychologist(hours="10:00 11:00")
    online.languages.add(Language.objects.create(name="Hindi"))
    both = working_hours.psychologist("Dr. Other", hours="")
    working_hours.weekly(both, "12:00 13:00", offers=HoursMode.BOTH)
    both.specializations.add(Specialization.objects.create(name="Grief & loss"))
    assert starts() == ["10:00", "12:00"]
    assert starts(mode="OFFLINE") == ["12:00"]
    assert starts(mode="ONLINE") == ["10:00", "12:00"]
    assert starts(psychologist=str(online.pk)) == ["10:00"]
    assert starts(language="hindi") == ["10:00"]
    assert starts(specialization="grief & loss") == ["12:00"]
    assert starts(psychologist="987654") == starts(language="Klingon") == []
    assert slots(ON_WEDNESDAY | {"psychologist": str(both.pk)})[0]["modes"] == ["ONLINE", "OFFLINE"]


def test_a_held_slot_is_left_out_without_a_hint_of_who_holds_it(now: datetime) -> None:
    who = working_hours.psychologist(hours="10:00 13:30")
    scenarios.approved(now=now, who=who, at=at("11:15"))
    answer = api.get(SLOTS, ON_WEDNESDAY)
    assert [slot["start"][11:16] for slot in api.done(answer)["slots"]] == ["10:00", "12:30"]
    assert set(api.done(answer)["slots"][0]) == {"psychologist", "start", "end", "modes"}


def test_a_slot_that_a_pending_request_asks_for_is_left_out_until_it_is_answered(now: datetime) -> None:
    who = working_hours.psychologist(hours="10:00 12:15")
    booking = scenarios.pending(now=now, preferred_psychologist_id=who.pk, preferred_slot_start=at("11:15"))
    assert starts() == ["10:00"]
    approval.reject(booking.pk, note_to_visitor="", actor="staff:desk", now=now)
    assert starts() == ["10:00", "11:15"]


def test_who_has_the_answer_is_told_that_nothing_changed(now: datetime) -> None:
    who = working_hours.psychologist(hours="10:00 12:15")
    first = api.get(SLOTS, ON_WEDNESDAY)
    tag = first["ETag"]
    assert first["Cache-Control"] == "no-cache"
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = api.get(SLOTS, ON_WEDNESDAY, if_none_match=known)
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
        api.check_headers(again, api.site())
    scenarios.approved(now=now, who=who, at=at("11:15"))
    changed = api.get(SLOTS, ON_WEDNESDAY, if_none_match=tag)
    assert [slot["start"][11:16] for slot in api.done(changed)["slots"]] == ["10:00"]
    assert changed["ETag"] != tag


def test_the_list_costs_three_queries() -> None:
    working_hours.psychologist()
    with CaptureQueriesContext(connection) as captured:
        assert len(slots({})) > 10
    assert len(captured) == 3


@pytest.mark.parametrize("path", [SLOTS, PEOPLE])
def test_the_lists_are_read_and_not_written(path: str) -> None:
    api.error(api.post(path, {}), 405, "method_not_allowed")
    api.error(api.get(path[:-1]), 404, "not_found")


# -- psychologists -----------------------------------------------------------------------------------------------------


def test_a_profile_tells_what_visitors_choose_by_and_nothing_private() -> None:
    who = working_hours.psychologist(
        registration_number="CRR A12345",
        location=Location.objects.create(name="Baner", address="12 Baner Road"),
        time_zone="Europe/London",
    )
    who.languages.add(Language.objects.create(name="Marathi"), Language.objects.create(name="English"))
    who.specializations.add(Specialization.objects.create(name="Grief"))
    working_hours.psychologist("Dr. Gone", is_active=False)
    answer = api.get(PEOPLE)
    assert api.done(answer) == {
        "psychologists": [
            {
                "id": who.pk,
                "name": "Dr. Meera Iyer",
                "registration_number": "CRR A12345",
                "specializations": ["Grief"],
                "languages": ["English", "Marathi"],
                "modes": ["ONLINE"],
            }
        ]
    }
    assert api.get(PEOPLE, if_none_match=answer["ETag"]).status_code == 304


def test_modes_are_those_of_the_hours_or_of_what_there_is_a_place_for() -> None:
    place = Location.objects.create(name="Baner", address="12 Baner Road")
    both = working_hours.psychologist("A", hours="")
    working_hours.weekly(both, "10:00 11:00", offers=HoursMode.BOTH)
    in_person = working_hours.psychologist("B", hours="")
    working_hours.weekly(in_person, "10:00 11:00", offers=HoursMode.OFFLINE)
    working_hours.psychologist("C", hours="", location=place)
    working_hours.psychologist("D", hours="", meeting_link="")
    modes = [profile["modes"] for profile in api.done(api.get(PEOPLE))["psychologists"]]
    assert modes == [["ONLINE", "OFFLINE"], ["OFFLINE"], ["ONLINE", "OFFLINE"], []]


# -- the wish of a draft -----------------------------------------------------------------------------------------------


@pytest.fixture
def who() -> Psychologist:
    return working_hours.psychologist()


def test_a_draft_may_name_a_psychologist_and_a_slot(who: Psychologist, now: datetime) -> None:
    wish = {"psychologist": who.pk, "preferred_slot_start": "2026-11-25T11:15:00+05:30"}
    plain = api.post(api.DRAFT, api.form(now, email="other@example.org"))
    assert api.shown(api.post(api.DRAFT, api.form(now, **wish))) == api.shown(plain)
    booking = Booking.objects.get(email=scenarios.ASHA)
    assert (booking.preferred_psychologist, booking.preferred_slot_start) == (who, at("11:15"))
    assert (booking.psychologist, booking.slot_start) == (None, None)


@pytest.mark.parametrize("alone", ["psychologist", "preferred_slot_start"])
def test_either_half_of_a_wish_is_a_wish(alone: str, who: Psychologist, now: datetime) -> None:
    wish = {"psychologist": who.pk, "preferred_slot_start": "2026-11-25T11:15:00+05:30"}
    api.done(api.post(api.DRAFT, api.form(now, **{alone: wish[alone]})), 201)
    booking = Booking.objects.get()
    assert (booking.preferred_psychologist_id is None) == (alone != "psychologist")
    assert (booking.preferred_slot_start is None) == (alone == "psychologist")


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"psychologist": "Meera"}, "invalid"),
        ({"psychologist": True}, "invalid"),
        ({"psychologist": 0}, "invalid"),
        ({"psychologist": 987654}, "wish_unknown"),
        ({"preferred_slot_start": "2026-11-25T11:15:00"}, "invalid"),
        ({"preferred_slot_start": "tomorrow"}, "invalid"),
        ({"preferred_slot_start": "2026-11-23T04:30:00Z"}, "wish_past"),
        ({"preferred_slot_start": "2028-01-01T10:00:00Z"}, "wish_past"),
    ],
)
def test_an_implausible_wish_is_refused_with_its_field(
    wish: dict[str, Any], code: str, who: Psychologist, now: datetime
) -> None:
    body = api.error(api.post(api.DRAFT, api.form(now, **wish)), 400, code)
    assert set(body["errors"]) == set(wish)
    assert body["detail"] == body["errors"][next(iter(wish))][0]
    assert not Booking.objects.exists()


def test_a_psychologist_who_left_cannot_be_wished_for(who: Psychologist, now: datetime) -> None:
    Psychologist.objects.update(is_active=False)
    api.error(api.post(api.DRAFT, api.form(now, psychologist=who.pk)), 400, "wish_unknown")


def test_a_slot_that_is_taken_may_be_wished_for_all_the_same(who: Psychologist, now: datetime) -> None:
    scenarios.approved("ravi@example.org", now=now, who=who, at=at("11:15"))
    wish = {"psychologist": who.pk, "preferred_slot_start": "2026-11-25T11:15:00+05:30"}
    api.done(api.post(api.DRAFT, api.form(now, **wish)), 201)


def test_no_answer_promises_what_was_wished_for(who: Psychologist, now: datetime) -> None:
    booking = scenarios.pending(now=now, preferred_psychologist_id=who.pk, preferred_slot_start=at("11:15"))
    shown = api.done(api.post(api.VERIFY, {"token": scenarios.token_of(booking)}))["booking"]
    assert (shown["psychologist"], shown["approved_slot_start"]) == (None, None)


@pytest.mark.parametrize(("ahead", "is_kept"), [(timedelta(0), False), (timedelta(days=30), True)])
def test_asking_again_repeats_the_wish_as_far_as_it_is_ahead(
    ahead: timedelta, is_kept: bool, who: Psychologist, now: datetime
) -> None:
    wanted = at("11:15") + ahead
    booking = scenarios.pending(now=now, preferred_psychologist_id=who.pk, preferred_slot_start=wanted)
    timers.close_unanswered(booking.pk, now=booking.due_at)
    token = scenarios.token_of(booking, Notice.BOOKING_UNANSWERED, Purpose.AGAIN)
    made = visitor.request_again(token, now=booking.due_at)
    assert (made.preferred_psychologist, made.preferred_slot_start) == (who, wanted if is_kept else None)


# -- the schema --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [SLOTS, PEOPLE])
def test_the_schema_tells_the_truth_of_the_lists(path: str, who: Psychologist) -> None:
    schema = api.done(api.get("/api/schema/"))
    operation = schema["paths"][path]["get"]
    shape = operation["responses"]["200"]["content"]["application/json"]["schema"]
    shapes.validator({**shape, "components": schema["components"]}).validate(api.done(api.get(path)))
    named = {parameter["name"] for parameter in operation.get("parameters", [])}
    assert named == ({"from", "to", "mode", "psychologist", "specialization", "language"} if path == SLOTS else set())
    assert "preferred_slot_start" in json.dumps(schema)
