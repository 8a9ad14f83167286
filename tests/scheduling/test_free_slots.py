"""Free slots from hours, claims, time off, wishes and closed days; also against a look at every minute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from backend.bookings import policy
from backend.bookings.machine import State
from backend.bookings.models import Booking, ClosedDay, SlotClaim
from backend.core.formatting import practice_zone
from backend.people.models import HoursMode, Language, Location, Psychologist, Specialization, TimeOff, WorkingHours
from backend.scheduling.free_slots import FreeSlot, SlotSearch, free_slots, terms_of
from tests.bench import busy_calendar
from tests.support import working_hours
from tests.support.working_hours import KOLKATA, WEDNESDAY, at

pytestmark = pytest.mark.django_db

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def on(day: date, *, now: datetime, **narrowed: object) -> list[FreeSlot]:
    """What is free on this day of the practice."""
    return free_slots(SlotSearch(at("00:00", day), at("00:00", day + DAY), **narrowed), now=now)


def starts(*, now: datetime, day: date = WEDNESDAY, **narrowed: object) -> list[str]:
    return [f"{slot.start.astimezone(KOLKATA):%H:%M}" for slot in on(day, now=now, **narrowed)]


# -- what is free ------------------------------------------------------------------------------------------------------


def test_slots_stand_on_a_grid_within_the_hours(now: datetime) -> None:
    who = working_hours.psychologist(hours="10:00 14:00")
    assert starts(now=now) == ["10:00", "11:15", "12:30"]
    slot = on(WEDNESDAY, now=now)[0]
    assert slot == FreeSlot(at("10:00"), at("11:00"), who.pk, "ONLINE", None)
    assert slot.start.tzinfo is UTC


def test_a_day_has_as_many_spans_as_it_needs(now: datetime) -> None:
    who = working_hours.psychologist(hours="09:00 10:00")
    working_hours.weekly(who, "15:00 17:15")
    assert starts(now=now) == ["09:00", "15:00", "16:15"]


def test_the_psychologists_own_terms_win_over_the_practices(now: datetime) -> None:
    working_hours.psychologist(hours="10:00 12:00", session_minutes=30, buffer_minutes=10)
    assert starts(now=now) == ["10:00", "10:40", "11:20"]


def test_a_grid_is_never_finer_than_a_quarter_of_an_hour(now: datetime) -> None:
    working_hours.psychologist(hours="10:00 11:00", session_minutes=5, buffer_minutes=0)
    assert starts(now=now) == ["10:00", "10:15", "10:30", "10:45"]


def test_a_psychologist_without_hours_offers_nothing(now: datetime) -> None:
    working_hours.psychologist(hours="")
    assert starts(now=now) == []


def test_an_inactive_psychologist_offers_nothing(now: datetime) -> None:
    working_hours.psychologist(is_active=False)
    assert starts(now=now) == []


def test_hours_are_of_the_psychologists_own_zone(now: datetime) -> None:
    working_hours.psychologist(hours="09:00 10:00", time_zone="Europe/London")
    assert starts(now=now) == ["14:30"]


def test_extra_hours_count_on_their_day_alone(now: datetime) -> None:
    who = working_hours.psychologist(hours="")
    working_hours.extra(who, WEDNESDAY, "20:00 21:00")
    assert starts(now=now) == ["20:00"]
    assert starts(now=now, day=WEDNESDAY + 7 * DAY) == []


def test_extra_hours_over_weekly_ones_give_each_start_once(now: datetime) -> None:
    who = working_hours.psychologist(hours="10:00 12:15")
    working_hours.extra(who, WEDNESDAY, "10:00 13:30")
    assert starts(now=now) == ["10:00", "11:15", "12:30"]


# -- what is in the way ------------------------------------------------------------------------------------------------


def test_a_held_slot_is_not_free_nor_is_its_pause(now: datetime) -> None:
    who = working_hours.psychologist(hours="10:00 14:00")
    working_hours.held(who, at("11:15"), at("12:30"))
    assert starts(now=now) == ["10:00", "12:30"]


def test_somebody_elses_claim_is_in_nobodys_way(now: datetime) -> None:
    working_hours.psychologist(hours="10:00 11:00")
    working_hours.held(working_hours.psychologist("Dr. Other", hours=""), at("10:00"), at("11:15"))
    assert starts(now=now) == ["10:00"]


def test_a_booking_is_not_in_its_own_way(now: datetime) -> None:
    who = working_hours.psychologist(hours="10:00 11:00")
    claim = working_hours.held(who, at("10:00"), at("11:15"))
    assert starts(now=now) == []
    assert starts(now=now, for_booking_id=claim.booking_id) == ["10:00"]


def test_a_claim_that_ends_within_a_second_is_in_the_way_until_then(now: datetime) -> None:
    who = working_hours.psychologist(hours="10:00 11:00")
    working_hours.held(who, at("09:00"), at("10:00") + timedelta(microseconds=1))
    assert starts(now=now) == []


def test_time_off_is_not_free(now: datetime) -> None:
    who = working_hours.psychologist(hours="10:00 14:00")
    working_hours.away(who, at("11:30"), at("12:00"))
    assert starts(now=now) == ["10:00", "12:30"]


def test_time_off_of_weeks_covers_the_days_within(now: datetime) -> None:
    who = working_hours.psychologist()
    working_hours.away(who, at("00:00") - 10 * DAY, at("00:00") + 10 * DAY)
    assert starts(now=now) == []


def test_nothing_is_free_on_a_closed_day_of_the_practice(now: datetime) -> None:
    working_hours.psychologist(hours="10:00 11:00")
    ClosedDay.objects.create(date=WEDNESDAY)
    ClosedDay.objects.create(weekday=3)
    assert [starts(now=now, day=WEDNESDAY + n * DAY) for n in range(3)] == [[], [], ["10:00"]]


def test_a_closed_day_is_the_practices_not_the_psychologists(now: datetime) -> None:
    working_hours.psychologist(hours="20:00 21:00", time_zone="America/New_York")  # 06:30 of the next day in Kolkata
    ClosedDay.objects.create(date=WEDNESDAY)
    assert [starts(now=now, day=WEDNESDAY + n * DAY) for n in range(2)] == [[], ["06:30"]]


def test_what_a_pending_request_asks_for_is_not_offered_to_others(now: datetime) -> None:
    who = working_hours.psychologist(hours="10:00 14:00")
    wish = working_hours.wish(who, at("11:15"), now=now)
    assert starts(now=now) == ["10:00", "12:30"]
    assert starts(now=now, for_booking_id=wish.pk) == ["10:00", "11:15", "12:30"]


@pytest.mark.parametrize("state", [state for state in State if state != State.PENDING])
def test_a_wish_hides_nothing_in_any_other_state(state: State, now: datetime) -> None:
    who = working_hours.psychologist(hours="10:00 11:00")
    booking = working_hours.wish(who, at("10:00"), now=now)
    if state in (State.REJECTED, State.CANCELLED, State.COMPLETED, State.PAYMENT_FAILED):
        Booking.objects.filter(pk=booking.pk).update(state=state, due_at=None, closed_at=now)
    else:
        Booking.objects.filter(pk=booking.pk).update(state=state)
    assert starts(now=now) == ["10:00"]


def test_a_wish_for_anybody_hides_nothing(now: datetime) -> None:
    working_hours.psychologist(hours="10:00 11:00")
    working_hours.wish(None, at("10:00"), now=now)
    assert starts(now=now) == ["10:00"]


# -- notice, horizon and what is asked for -----------------------------------------------------------------------------


def test_a_slot_is_offered_from_the_minimum_notice_on(now: datetime) -> None:
    working_hours.psychologist(hours="10:00 11:00", notice_hours=48)
    assert starts(now=at("10:00") - 48 * HOUR - MINUTE) == ["10:00"]
    assert starts(now=at("10:00") - 48 * HOUR) == ["10:00"]
    assert starts(now=at("10:00") - 48 * HOUR + MINUTE) == []


def test_a_slot_is_offered_up_to_the_horizon(now: datetime) -> None:
    working_hours.psychologist(hours="10:00 11:00", horizon_days=7)
    assert starts(now=at("10:00") - 7 * DAY - MINUTE) == []
    assert starts(now=at("10:00") - 7 * DAY + MINUTE) == ["10:00"]


def test_notice_and_horizon_default_to_the_practices(now: datetime) -> None:
    terms = terms_of(working_hours.psychologist(hours=""))
    assert (terms.notice, terms.horizon) == (policy.BOOKING_NOTICE, policy.BOOKING_HORIZON)
    assert (terms.length, terms.buffer, terms.zone) == (policy.SESSION_LENGTH, policy.SLOT_BUFFER, practice_zone())


def test_only_what_begins_within_the_asked_span_is_found(now: datetime) -> None:
    working_hours.psychologist(hours="10:00 14:00")
    found = free_slots(SlotSearch(at("10:01"), at("12:30")), now=now)
    assert [slot.start for slot in found] == [at("11:15")]
    assert free_slots(SlotSearch(at("12:30"), at("10:00")), now=now) == []


def test_a_search_can_be_narrowed(now: datetime) -> None:
    hindi, grief = Language.objects.create(name="Hindi"), Specialization.objects.create(name="Grief")
    online = working_hours.psychologist(hours="10:00 11:00")
    online.languages.add(hindi)
    place = Location.objects.create(name="Baner", address="12 Baner Road")
    in_person = working_hours.psychologist("Dr. Other", hours="")
    working_hours.weekly(in_person, "10:00 11:00", offers=HoursMode.OFFLINE)
    WorkingHours.objects.filter(psychologist=in_person).update(location=place)
    both = working_hours.psychologist("Dr. Third", hours="")
    working_hours.weekly(both, "10:00 11:00", offers=HoursMode.BOTH)
    both.specializations.add(grief)

    def found(**narrowed: object) -> set[int]:
        return {slot.psychologist_id for slot in on(WEDNESDAY, now=now, **narrowed)}

    assert found() == {online.pk, in_person.pk, both.pk}
    assert found(mode="ONLINE") == {online.pk, both.pk}
    assert found(mode="OFFLINE") == {in_person.pk, both.pk}
    assert found(language="hindi") == {online.pk}
    assert found(specialization="Grief") == {both.pk}
    assert found(psychologist_ids=(both.pk, in_person.pk)) == {both.pk, in_person.pk}
    assert found(language="Klingon") == set()
    assert {slot.location_id for slot in on(WEDNESDAY, now=now, mode="OFFLINE")} == {place.pk, None}


def test_slots_come_by_start_and_then_by_psychologist(now: datetime) -> None:
    second = working_hours.psychologist(hours="10:00 12:15")
    first = working_hours.psychologist("Dr. Aaron", hours="09:00 12:30")
    found = [(f"{slot.start.astimezone(KOLKATA):%H:%M}", slot.psychologist_id) for slot in on(WEDNESDAY, now=now)]
    expected = [
        ("09:00", first.pk),
        ("10:00", second.pk),
        ("10:15", first.pk),
        ("11:15", second.pk),
        ("11:30", first.pk),
    ]
    assert found == expected


# -- against a look at every minute ------------------------------------------------------------------------------------

NOW = datetime(2026, 10, 20, 5, 12, tzinfo=UTC)
ZONES = ("America/New_York", "Europe/London", "Asia/Kolkata", "")
DAYS = [date(2026, 10, 24), date(2026, 10, 25), date(2026, 10, 31), date(2026, 11, 1)]
quarters = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))


@st.composite
def practices(draw: st.DrawFn) -> SlotSearch:
    """Rows of a small practice around a day on which clocks may change, and what is looked for."""
    day = draw(st.sampled_from(DAYS))
    midnight = datetime.combine(day, time.min, tzinfo=UTC)
    instants = st.integers(-12 * 4, 40 * 4).map(lambda quarter: midnight + quarter * 15 * MINUTE)
    for number in range(draw(st.integers(1, 2))):
        who = Psychologist.objects.create(
            full_name=f"Dr. {number}",
            email="p@example.org",
            time_zone=draw(st.sampled_from(ZONES)),
            session_minutes=draw(st.sampled_from([None, 20, 50, 90])),
            buffer_minutes=draw(st.sampled_from([None, 0, 10])),
            notice_hours=draw(st.sampled_from([None, 0, 120])),
            horizon_days=draw(st.sampled_from([None, 5, 11])),
        )
        for _ in range(draw(st.integers(0, 3))):
            starts_at, ends_at = draw(quarters), draw(quarters)
            if starts_at < ends_at or ends_at == time.min:
                is_weekly = draw(st.booleans())
                WorkingHours.objects.create(
                    psychologist=who,
                    weekday=day.weekday() if is_weekly else None,
                    day=None if is_weekly else day,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    offers=draw(st.sampled_from(HoursMode.values)),
                )
        for start in draw(st.lists(instants, max_size=2)):
            working_hours.away(who, start, start + draw(st.integers(1, 300)) * MINUTE)
        until = midnight - DAY
        for start in sorted(draw(st.lists(instants, max_size=3, unique=True))):
            if start >= until:
                until = start + draw(st.sampled_from([15, 40, 75])) * MINUTE
                working_hours.held(who, start, until)
        for start in draw(st.lists(instants, max_size=1)):
            working_hours.wish(who, start, now=NOW)
    if draw(st.booleans()):
        ClosedDay.objects.create(date=day)
    start = draw(instants)
    return SlotSearch(
        start, start + draw(st.integers(1, 36)) * HOUR, mode=draw(st.sampled_from(["", "ONLINE", "OFFLINE"]))
    )


def minutes(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += MINUTE


def first_minute(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The first minute at which the clock shows this or later."""
    local = datetime.combine(day, wall)
    around = datetime.combine(day, time.min, tzinfo=UTC)
    return next(m for m in minutes(around - DAY, around + 2 * DAY) if m.astimezone(zone).replace(tzinfo=None) >= local)


def expected(search: SlotSearch) -> set[tuple[datetime, datetime, int]]:
    """The same rules, said again as slowly and plainly as can be."""
    found = set()
    for rule in WorkingHours.objects.select_related("psychologist"):
        who, terms = rule.psychologist, terms_of(rule.psychologist)
        if search.mode and rule.offers not in (search.mode, "BOTH"):
            continue
        blocked = {
            m for c in SlotClaim.objects.filter(psychologist=who) for m in minutes(c.blocked_from, c.blocked_until)
        }
        for wish in Booking.objects.filter(state="PENDING", preferred_psychologist=who):
            blocked |= set(minutes(wish.preferred_slot_start, wish.preferred_slot_start + terms.length + terms.buffer))
        off = {m for row in TimeOff.objects.filter(psychologist=who) for m in minutes(row.starts_at, row.ends_at)}
        closed = set(ClosedDay.objects.values_list("date", flat=True))
        for day in (search.start.date() + n * DAY for n in range(-2, 4)):
            if rule.day not in (None, day) or rule.weekday not in (None, day.weekday()):
                continue
            at = first_minute(day, rule.starts_at, terms.zone)
            end = first_minute(day + (DAY if rule.ends_at == time.min else 0 * DAY), rule.ends_at, terms.zone)
            while at + terms.length <= end:
                session = set(minutes(at, at + terms.length))
                if (
                    not blocked & set(minutes(at, at + terms.length + terms.buffer))
                    and not off & session
                    and not closed & {m.astimezone(practice_zone()).date() for m in session}
                    and search.start <= at < search.end
                    and NOW + terms.notice <= at < NOW + terms.horizon
                ):
                    found.add((at, at + terms.length, who.pk))
                at += max(terms.length + terms.buffer, policy.SLOT_STEP_LEAST)
    return found


@pytest.mark.sqlite_only  # what it asks of the database, the others ask of both
@given(st.data())
@hypothesis_settings(max_examples=60)
def test_they_are_those_that_a_look_at_every_minute_finds(data: st.DataObject) -> None:
    with transaction.atomic():
        search = data.draw(practices())
        found = free_slots(search, now=NOW)
        assert [slot.start for slot in found] == sorted(slot.start for slot in found)
        assert len({slot[:3] for slot in found}) == len(found)
        assert {slot[:3] for slot in found} == expected(search)
        transaction.set_rollback(True)


# -- what it costs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("claims", [1_000, 2_000])
def test_three_queries_answer_for_fifty_psychologists_however_many_claims(claims: int) -> None:
    busy_calendar.fill(claims)
    assert SlotClaim.objects.count() == claims
    with CaptureQueriesContext(connection) as captured:
        found = busy_calendar.search()
    assert len(captured) == 3
    assert len({slot.psychologist_id for slot in found}) == busy_calendar.PSYCHOLOGISTS
    assert len({slot.start.date() for slot in found}) >= busy_calendar.DAYS
