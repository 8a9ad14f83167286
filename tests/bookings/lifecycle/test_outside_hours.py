"""Approving and moving within a psychologist's hours, and the second look that booking outside of them needs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from backend.bookings.lifecycle import approval, attempts, follow_ups, payments
from backend.bookings.lifecycle.follow_ups import Series
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.lifecycle.session_terms import Approval
from backend.bookings.machine import State
from backend.bookings.models import Booking, ClosedDay, SlotClaim
from backend.core.errors import Code, Refused
from backend.people.models import HoursMode, Location, Psychologist, WorkingHours
from tests.support import scenarios, working_hours
from tests.support.working_hours import WEDNESDAY, at

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def who() -> Psychologist:
    return working_hours.psychologist(hours="10:00 14:00")


def approve(booking: Booking, who: Psychologist, start: datetime, *, now: datetime, **changes: object) -> Booking:
    return approval.approve(booking.pk, replace(Approval(who.pk, start), **changes), actor="staff:desk", now=now)


def refused(booking: Booking, who: Psychologist, start: datetime, *, now: datetime, **changes: object) -> Refused:
    with pytest.raises(Refused) as error:
        approve(booking, who, start, now=now, **changes)
    assert not SlotClaim.objects.filter(booking=booking).exists()
    return error.value


@pytest.mark.parametrize("clock", ["10:00", "10:20", "13:00"])
def test_any_time_within_the_hours_can_be_approved(clock: str, who: Psychologist, now: datetime) -> None:
    assert approve(scenarios.pending(now=now), who, at(clock), now=now).slot_start == at(clock)


@pytest.mark.parametrize("clock", ["09:59", "13:01", "20:00"])
def test_a_time_outside_the_hours_needs_a_second_look(clock: str, who: Psychologist, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    error = refused(booking, who, at(clock), now=now)
    assert error.code is Code.OUTSIDE_HOURS
    free = error.context["free_slots"]
    assert isinstance(free, list)
    assert len(free) == 3
    assert approve(booking, who, at(clock), now=now, despite_hours=True).slot_start == at(clock)


def test_who_has_no_hours_has_none_to_be_outside_of(now: datetime) -> None:
    ClosedDay.objects.create(date=WEDNESDAY)
    free = working_hours.psychologist(hours="")
    assert approve(scenarios.pending(now=now), free, at("23:30"), now=now).slot_start == at("23:30")


def test_time_off_is_outside_whoever_has_hours_or_not(who: Psychologist, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    for psychologist in (who, working_hours.psychologist("Dr. Other", hours="")):
        working_hours.away(psychologist, at("11:00"), at("12:00"))
        assert refused(booking, psychologist, at("11:30"), now=now).code is Code.OUTSIDE_HOURS


def test_a_closed_day_is_outside_the_hours(who: Psychologist, now: datetime) -> None:
    ClosedDay.objects.create(date=WEDNESDAY)
    assert refused(scenarios.pending(now=now), who, at("11:00"), now=now).code is Code.OUTSIDE_HOURS


def test_hours_for_the_other_mode_are_outside(who: Psychologist, now: datetime) -> None:
    place = Location.objects.create(name="Baner", address="12 Baner Road")
    booking = scenarios.pending(now=now, mode="OFFLINE")
    assert refused(booking, who, at("11:00"), now=now, location_id=place.pk).code is Code.OUTSIDE_HOURS


def test_a_session_in_person_takes_place_where_the_hours_say(now: datetime) -> None:
    own, elsewhere = (Location.objects.create(name=name, address=f"{name} Road") for name in ("Own", "Elsewhere"))
    who = working_hours.psychologist(hours="", location=own)
    working_hours.weekly(who, "10:00 12:00", offers=HoursMode.BOTH)
    working_hours.weekly(who, "14:00 16:00", offers=HoursMode.OFFLINE)
    WorkingHours.objects.filter(offers=HoursMode.OFFLINE).update(location=elsewhere)
    booking = approve(scenarios.pending(now=now, mode="OFFLINE"), who, at("14:00"), now=now)
    assert booking.address == "Elsewhere Road"
    moved = reschedule(booking.pk, Move(at("14:00") + DAY), actor="staff:desk", now=now)
    assert moved.address == "Elsewhere Road"
    other = scenarios.pending("ravi@example.org", now=now, mode="OFFLINE")
    assert approve(other, who, at("10:00"), now=now).address == "Own Road"
    third = scenarios.pending("third@example.org", now=now, mode="OFFLINE")
    assert approve(third, who, at("15:00"), now=now, despite_hours=True, location_id=own.pk).address == "Own Road"


def test_length_and_pause_are_the_psychologists_own(now: datetime) -> None:
    who = working_hours.psychologist(session_minutes=50, buffer_minutes=5)
    booking = approve(scenarios.pending(now=now), who, at("10:00"), now=now)
    assert booking.slot_end == at("10:50")
    claim = SlotClaim.objects.get()
    assert (claim.blocked_from, claim.blocked_until) == (at("10:00"), at("10:55"))
    second = scenarios.pending("ravi@example.org", now=now)
    error = refused(second, who, at("10:54"), now=now)
    assert error.code is Code.SLOT_TAKEN
    assert approve(second, who, at("10:55"), now=now).slot_start == at("10:55")
    moved = reschedule(booking.pk, Move(at("12:00")), actor="staff:desk", now=now)
    assert SlotClaim.objects.get(booking=moved).blocked_until == at("12:55")


def test_the_free_slots_beside_a_refusal_come_from_the_hours(who: Psychologist, now: datetime) -> None:
    scenarios.approved("ravi@example.org", now=now, who=who, at=at("11:15"))
    error = refused(scenarios.pending(now=now), who, at("11:15"), now=now)
    assert error.code is Code.SLOT_TAKEN
    free = error.context["free_slots"]
    assert isinstance(free, list)
    assert [slot.start for slot in free] == [at("10:00"), at("12:30"), at("12:30") - DAY]


def test_late_money_finds_its_slot_with_the_pause_of_its_psychologist(now: datetime) -> None:
    who = working_hours.psychologist(buffer_minutes=0)
    booking, payment = scenarios.paying(now=now, who=who, at=at("11:00"))
    assert booking.pay_by is not None
    late = booking.pay_by + timedelta(minutes=11)
    attempts.end_idle_attempt(payment.pk, now=late)
    assert scenarios.again(booking).state == State.PAYMENT_FAILED
    scenarios.approved("ravi@example.org", now=late, who=who, at=at("12:00"))
    payments.record_report(scenarios.captured(payment), actor="gateway:sandbox", now=late)
    assert scenarios.again(booking).state == State.CONFIRMED
    assert SlotClaim.objects.get(booking=booking).blocked_until == at("12:00")


# -- moving ------------------------------------------------------------------------------------------------------------


def test_a_move_out_of_the_hours_needs_a_second_look(who: Psychologist, now: datetime) -> None:
    booking = scenarios.approved(now=now, who=who, at=at("11:15"))
    with pytest.raises(Refused) as error:
        reschedule(booking.pk, Move(at("20:00")), actor="staff:desk", now=now)
    assert error.value.code is Code.OUTSIDE_HOURS
    assert scenarios.again(booking).slot_start == at("11:15")
    moved = reschedule(booking.pk, Move(at("20:00"), despite_hours=True), actor="staff:desk", now=now)
    assert moved.slot_start == at("20:00")


def test_a_new_place_for_a_session_outside_the_hours_needs_none(who: Psychologist, now: datetime) -> None:
    booking = approve(scenarios.pending(now=now), who, at("20:00"), now=now, despite_hours=True)
    link = "https://meet.example.org/other"
    moved = reschedule(booking.pk, Move(at("20:00"), meeting_link=link), actor="staff:desk", now=now)
    assert moved.meeting_link == link


def test_a_move_to_somebody_who_does_not_work_then_needs_a_second_look(who: Psychologist, now: datetime) -> None:
    booking = scenarios.approved(now=now, who=who, at=at("11:15"))
    other = working_hours.psychologist("Dr. Other", hours="15:00 18:00")
    with pytest.raises(Refused) as error:
        reschedule(booking.pk, Move(at("11:15"), other.pk), actor="staff:desk", now=now)
    assert error.value.code is Code.OUTSIDE_HOURS


def test_the_next_sessions_are_looked_at_twice_as_well(who: Psychologist, now: datetime) -> None:
    last = scenarios.confirmed(now=now, who=who, at=at("11:15"))
    outside = Series((at("11:15") + 7 * DAY, at("20:00") + 7 * DAY))
    places = follow_ups.book_series(last.pk, outside, actor="staff:desk", now=now)
    assert [place.refused and place.refused.code for place in places] == [None, Code.OUTSIDE_HOURS]
    again = replace(outside, slot_starts=(at("20:00") + 7 * DAY,), despite_hours=True)
    (place,) = follow_ups.book_series(last.pk, again, actor="staff:desk", now=now)
    assert place.booking is not None
    assert place.booking.preferred_slot_start is None
