"""Free slots in the order in which they suit a request."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.people.models import HoursMode, Language, Location, Psychologist
from backend.scheduling.suggestions import NEAR, Suggestion, suggestions
from tests.support import working_hours
from tests.support.scenarios import RAVI
from tests.support.working_hours import KOLKATA, WEDNESDAY, asked, at

# the queries are those of test_free_slots.py, and what two want at once is raced for in test_races_slots.py
pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]

DAY = timedelta(days=1)


@pytest.fixture
def who() -> Psychologist:
    return working_hours.psychologist(hours="09:00 21:00", session_minutes=60, buffer_minutes=0)


def shown(found: list[Suggestion], *, fits: bool = True) -> list[str]:
    return [f"{one.slot.start.astimezone(KOLKATA):%d %H:%M}" for one in found if one.fits == fits]


@pytest.mark.parametrize(
    ("wish", "fitting"),
    [
        ({"preferred_period": "MORNING"}, ["25 09:00", "25 10:00", "25 11:00"]),
        ({"preferred_period": "EVENING"}, ["25 16:00", "25 17:00", "25 18:00", "25 19:00", "25 20:00"]),
        (
            {
                "preferred_period": "CUSTOM",
                "preferred_time_start": time(12, 30),
                "preferred_time_end": time(15),
            },
            ["25 13:00", "25 14:00"],
        ),
        (
            {
                "preferred_period": "CUSTOM",
                "preferred_time_start": time(13),
                "preferred_time_end": time(13, 59),
            },
            [],
        ),
    ],
)
def test_slots_that_fit_come_first_then_the_nearest(
    wish: dict[str, object], fitting: list[str], who: Psychologist, now: datetime
) -> None:
    found = suggestions(asked(now=now, **wish), now=now)
    assert shown(found) == fitting
    assert [one.fits for one in found] == [True] * len(fitting) + [False] * (10 - len(fitting))
    assert len(found) == 10


def test_those_that_do_not_fit_come_by_their_distance(who: Psychologist, now: datetime) -> None:
    found = suggestions(asked(now=now, preferred_period="MORNING"), now=now)
    assert shown(found, fits=False)[:3] == ["25 12:00", "25 13:00", "25 14:00"]


def test_a_slot_that_was_wished_for_comes_first(who: Psychologist, now: datetime) -> None:
    booking = asked(now=now, preferred_psychologist_id=who.pk, preferred_slot_start=at("10:00"))
    assert shown(suggestions(booking, now=now)) == ["25 10:00", "25 09:00", "25 11:00"]


def test_another_psychologist_than_the_wished_one_does_not_fit(who: Psychologist, now: datetime) -> None:
    other = working_hours.psychologist("Dr. Other", hours="10:00 11:00")
    found = suggestions(asked(now=now, preferred_psychologist_id=other.pk), now=now)
    assert [(one.slot.psychologist_id, one.fits) for one in found[:2]] == [(other.pk, True), (who.pk, False)]


def test_only_the_bookings_mode_is_suggested(who: Psychologist, now: datetime) -> None:
    place = Location.objects.create(name="Baner", address="12 Baner Road")
    in_person = working_hours.psychologist("Dr. Other", hours="", location=place)
    working_hours.weekly(in_person, "10:00 11:00", offers=HoursMode.OFFLINE)
    found = suggestions(asked(now=now, mode="OFFLINE"), now=now)
    assert {one.slot.psychologist_id for one in found} == {in_person.pk}


def test_suggestions_can_be_narrowed_to_a_psychologist_or_a_language(who: Psychologist, now: datetime) -> None:
    other = working_hours.psychologist("Dr. Other", hours="10:00 11:00")
    other.languages.add(Language.objects.create(name="Hindi"))
    booking = asked(now=now)
    for narrowed in ({"psychologist_id": other.pk}, {"language": "Hindi"}):
        found = suggestions(booking, now=now, **narrowed)
        assert {one.slot.psychologist_id for one in found} == {other.pk}


def test_what_somebody_else_asks_for_is_not_suggested_and_ones_own_wish_is(who: Psychologist, now: datetime) -> None:
    asked(now=now, email=RAVI, preferred_psychologist_id=who.pk, preferred_slot_start=at("09:00"))
    booking = asked(now=now, preferred_psychologist_id=who.pk, preferred_slot_start=at("10:00"))
    assert shown(suggestions(booking, now=now)) == ["25 10:00", "25 11:00"]


def test_after_the_preferred_day_the_nearest_slots_ahead_are_suggested(who: Psychologist, now: datetime) -> None:
    booking = asked(now=now)
    later = at("08:00", WEDNESDAY + 10 * DAY)
    found = suggestions(booking, now=later)
    assert shown(found) == []
    assert shown(found, fits=False)[0] == "06 09:00"


def test_nobody_with_hours_means_no_suggestion(now: datetime) -> None:
    working_hours.psychologist(hours="")
    assert suggestions(asked(now=now), now=now) == []


@pytest.mark.parametrize(
    "wish",
    [
        {"preferred_period": "MORNING"},
        {"preferred_period": "EVENING", "preferred_date": WEDNESDAY + 12 * DAY},
        {"preferred_psychologist": 1, "preferred_slot_start": at("10:00", WEDNESDAY + 5 * DAY)},
        {"preferred_psychologist": 0, "preferred_date": WEDNESDAY + 2 * DAY},
        # a caller's slot between the periods, and a program's on another day than its date
        {"preferred_psychologist": 0, "preferred_slot_start": at("13:00", WEDNESDAY + 6 * DAY)},
        {"preferred_date": WEDNESDAY + 5 * DAY, "preferred_slot_start": at("20:00", WEDNESDAY + 8 * DAY)},
        {"preferred_date": WEDNESDAY + 9 * DAY, "preferred_slot_start": at("09:00", WEDNESDAY + 7 * DAY)},
    ],
)
@pytest.mark.parametrize("later", [timedelta(0), timedelta(days=4, hours=3)])
def test_a_few_are_the_first_of_all(wish: dict[str, Any], later: timedelta, who: Psychologist, now: datetime) -> None:
    working_hours.away(who, at("11:00"), at("20:00", WEDNESDAY + 3 * DAY))
    rare = working_hours.psychologist("Dr. Rare", hours="")
    working_hours.weekly(rare, "09:00 12:00", weekdays=(0, 3))
    chosen = [who, rare][wish.get("preferred_psychologist", 0)]
    given = {"preferred_date": wish["preferred_slot_start"].date()} if "preferred_slot_start" in wish else {}
    given |= {name: value for name, value in wish.items() if name != "preferred_psychologist"}
    booking = asked(
        now=now,
        **given,
        preferred_psychologist_id=chosen.pk if "preferred_psychologist" in wish else None,
    )
    every = suggestions(booking, now=now + later, limit=None)
    assert len(every) > 60
    for limit in (1, 3, 6, 10, 25, 60):
        assert suggestions(booking, now=now + later, limit=limit) == every[:limit]


def test_at_the_edge_of_what_is_looked_at_first_whoever_was_wished_for_is_still_ahead(now: datetime) -> None:
    """Both are as far from the morning that was asked for, one before it and one after."""
    day = WEDNESDAY + 7 * DAY
    someone, wished = (working_hours.psychologist(name, hours="") for name in ("Dr. A", "Dr. B"))
    working_hours.extra(someone, day - NEAR, "06:00 07:00")
    working_hours.extra(wished, day + NEAR, "12:00 13:00")
    booking = asked(now=now, preferred_date=day, preferred_period="MORNING", preferred_psychologist_id=wished.pk)
    every = suggestions(booking, now=now, limit=None)
    assert [one.slot.psychologist_id for one in every] == [wished.pk, someone.pk]
    assert suggestions(booking, now=now, limit=1) == every[:1]


def test_suggestions_cost_three_queries_and_three_more_where_few_are_free(who: Psychologist, now: datetime) -> None:
    booking = asked(now=now)
    for expected in (3, 6):
        with CaptureQueriesContext(connection) as captured:
            suggestions(booking, now=now)
        assert len(captured) == expected
        working_hours.away(who, at("00:00", WEDNESDAY - 2 * DAY), at("00:00", WEDNESDAY + 3 * DAY))
