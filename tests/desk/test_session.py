"""Staff move a session and record what became of it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client as Browser

from backend.bookings import policy
from backend.bookings.lifecycle import timers
from backend.bookings.models import Booking, LedgerEntry, Outcome, SlotClaim
from backend.people.models import Location, Psychologist
from tests.support import scenarios, working_hours
from tests.support.admin_site import action_url, buttons, form_of, page_url, session_form, written

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]
TUESDAY_1730 = "2026-11-24 17:30"  # when sessions of `approved` and later begin


def move(desk: Browser, booking: Booking, who: Psychologist | None, start: str, **typed: str) -> dict[str, str]:
    """The first sentence beside each field of a move that was refused; nothing when it was made."""
    before = written()
    answer = desk.post(action_url(booking, "reschedule"), session_form(booking, who, start, **typed))
    if answer.status_code == 302:
        return {}
    assert written() == before
    return {field: str(errors[0]) for field, errors in answer.context["form"].errors.items()}


# -- moving ------------------------------------------------------------------------------------------------------------


def test_the_form_starts_from_what_is_settled(desk: Browser, now: datetime) -> None:
    booking = scenarios.approved(now=now)
    page = desk.get(action_url(booking, "reschedule")).content.decode()
    for shown in ('value="2026-11-24"', 'value="17:30"', 'value="60"', "As before: Dr. Meera Iyer"):
        assert shown in page
    assert "Choose another time, psychologist or place to see what follows." in page


def test_free_slots_of_the_bookings_mode_are_offered_and_one_that_is_chosen_counts(
    desk: Browser, now: datetime
) -> None:
    booking = scenarios.approved(now=now)
    working_hours.weekly(booking.psychologist, "16:30 18:30")
    colleague = scenarios.psychologist("Dr. Other")
    working_hours.weekly(colleague, "17:30 18:30")
    form = desk.get(action_url(booking, "reschedule")).context["form"]
    own, others = (dict(group) for _, group in form.fields["offered"].choices[1:])
    assert next(iter(own.values())).startswith("Tue 24 Nov 2026, 16:30")
    assert all("Dr. Other" in label for label in others.values())
    (slot, *_) = own
    chosen = form_of(booking, offered=slot, slot_start_0="2026-11-24", slot_start_1="17:30", length="")
    assert desk.post(action_url(booking, "reschedule"), chosen).status_code == 302
    moved = scenarios.again(booking)
    assert slot == f"{moved.psychologist_id}@{moved.slot_start.isoformat()}"


def test_an_empty_psychologist_length_and_link_stay_as_they_are(desk: Browser, now: datetime) -> None:
    booking = scenarios.approved(now=now)
    Booking.objects.update(meeting_link="https://meet.example.org/for-this-one")
    assert move(desk, booking, None, "2026-11-26 09:00", length="") == {}
    moved = scenarios.again(booking)
    assert moved.slot_start == datetime.fromisoformat("2026-11-26T09:00+05:30")
    assert moved.slot_end == moved.slot_start + timedelta(hours=1)
    assert (moved.psychologist_id, moved.meeting_link) == (
        booking.psychologist_id,
        "https://meet.example.org/for-this-one",
    )
    assert moved.moved_by_staff_at == now


def test_another_psychologist_length_and_place_are_taken(desk: Browser, now: datetime) -> None:
    rooms = Location.objects.create(name="Rooms", address="1 Road, Pune")
    near = Location.objects.create(name="Near", address="2 Road, Pune")
    booking = scenarios.approved(
        now=now, who=scenarios.psychologist(location=rooms), mode="OFFLINE", payment_mode="OFFLINE"
    )
    other = scenarios.psychologist("Dr. Other")
    assert move(desk, booking, other, TUESDAY_1730) == {
        "location": "The session is in person and the psychologist has no location: choose one."
    }
    assert move(desk, booking, other, TUESDAY_1730, length="90", location=str(near.pk)) == {}
    moved = scenarios.again(booking)
    assert (moved.psychologist, moved.address) == (other, "2 Road, Pune")
    assert moved.slot_end == moved.slot_start + timedelta(minutes=90)
    assert SlotClaim.objects.get().psychologist == other


def test_a_taken_time_names_the_free_ones_nearby(desk: Browser, now: datetime) -> None:
    who = scenarios.psychologist()
    booking = scenarios.approved(now=now, who=who)
    scenarios.approved("ravi@example.org", now=now, who=who, at=scenarios.slot_tomorrow(now, 15))  # 20:30 IST
    sentence = move(desk, booking, None, "2026-11-24 20:30")["slot_start"]
    assert sentence.startswith(
        "The psychologist has another session at this time. Free near it: Tue 24 Nov 2026, 19:00"
    )


@pytest.mark.parametrize(
    ("start", "typed", "field", "sentence"),
    [
        ("2026-11-22 18:00", {}, "slot_start", "This time is in the past."),
        (
            TUESDAY_1730,
            {"length": "241"},
            "slot_start",
            "A session lasts at most 4 hours and starts within the next 366 days.",
        ),
        (TUESDAY_1730, {"length": "0"}, "length", "Ensure this value is greater than or equal to 1."),
        (TUESDAY_1730, {}, "__all__", "Nothing was changed: choose another time, psychologist or place."),
        ("2026-11-24 half", {}, "slot_start", "Enter a valid time."),
    ],
)
def test_a_move_that_cannot_be_is_refused_beside_its_field(
    desk: Browser, now: datetime, start: str, typed: dict[str, str], field: str, sentence: str
) -> None:
    booking = scenarios.approved(now=now)
    assert move(desk, booking, None, start, **typed) == {field: sentence}


def test_a_psychologist_who_left_is_not_offered_and_not_kept(desk: Browser, now: datetime) -> None:
    booking = scenarios.approved(now=now)
    Psychologist.objects.update(is_active=False)
    assert move(desk, booking, None, "2026-11-26 09:00") == {"psychologist": "Choose a psychologist who is active."}


# -- what became of it -------------------------------------------------------------------------------------------------


def test_an_outcome_is_recorded_from_the_start_and_corrected_for_seven_days(
    desk: Browser, now: datetime, clock: time_machine.Coordinates
) -> None:
    booking = scenarios.confirmed(now=now)
    assert booking.slot_start is not None
    assert booking.slot_end is not None
    clock.move_to(booking.slot_start - policy.ARRIVAL_OPENS - timedelta(seconds=1))
    assert "record-outcome" not in buttons(desk, booking)
    clock.move_to(booking.slot_start)
    assert "record-outcome" in buttons(desk, booking)
    assert desk.post(action_url(booking, "record-outcome"), form_of(booking, outcome="no_show")).status_code == 302
    assert "Client did not come" in desk.get(page_url(booking)).content.decode()
    timers.complete_session(booking.pk, now=booking.slot_end + timedelta(hours=1))
    clock.move_to(booking.slot_end + timedelta(days=7) - timedelta(seconds=1))
    page = desk.get(action_url(booking, "record-outcome"))
    assert "Recorded so far: Client did not come." in page.content.decode()
    assert [value for value, _ in page.context["form"].fields["outcome"].choices] == [
        Outcome.UNRECORDED, Outcome.ATTENDED, Outcome.PRACTICE_ABSENT,
    ]  # fmt: skip
    assert desk.post(action_url(booking, "record-outcome"), form_of(booking, outcome="attended")).status_code == 302
    assert LedgerEntry.objects.filter(booking=booking).latest("sequence").details == {
        "from": "no_show",
        "to": "attended",
    }


def test_a_closed_outcome_is_refused_with_its_time(
    desk: Browser, now: datetime, clock: time_machine.Coordinates
) -> None:
    booking = scenarios.confirmed(now=now)
    assert booking.slot_end is not None
    clock.move_to(booking.slot_end + timedelta(days=7))
    assert "record-outcome" not in buttons(desk, booking)
    before = written()
    answer = desk.post(action_url(booking, "record-outcome"), form_of(booking, outcome="attended"))
    assert answer.status_code == 409
    assert "from the session&#x27;s start until 7 days after its end" in answer.content.decode()
    assert written() == before
