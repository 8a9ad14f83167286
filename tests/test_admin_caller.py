"""Staff record the request of somebody on the phone; the id is there at once, and one click counts once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse

from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry, Origin
from tests import story
from tests.admin_site import clerk, list_url, owner, page_url, written

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(now: datetime) -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(now, tick=False) as travelled:
        yield travelled


@pytest.fixture
def desk() -> Browser:
    return owner()


def new_url() -> str:
    return reverse("admin:bookings_booking_new")


def typed(**changes: str) -> dict[str, str]:
    """What a receptionist fills in."""
    return {
        "full_name": "Asha Rao", "email": "Asha@Example.org", "phone_number": "9876543210", "age": "31",
        "gender": "FEMALE", "city": "Pune", "region": "", "country": "India", "emergency_contact": "Vikram Rao",
        "preferred_date": "2026-11-26", "preferred_period": "CUSTOM", "preferred_time_start": "18:00",
        "preferred_time_end": "20:00", "mode": "ONLINE", "payment_mode": "OFFLINE", "user_message": "Sleeps badly.",
        "consent": "on",
    } | changes  # fmt: skip


def test_the_list_leads_to_the_form_and_the_form_to_the_new_booking_with_its_id(desk: Browser) -> None:
    assert new_url() in desk.get(list_url(Booking)).content.decode()
    assert desk.get(new_url()).status_code == 200
    answer = desk.post(new_url(), typed(), follow=True)
    booking = Booking.objects.get()
    assert answer.redirect_chain == [(page_url(booking), 302)]
    page = answer.content.decode()
    assert f"The caller&#x27;s id is {booking}." in page
    assert "booking received to asha@example.org (now)" in page
    assert (booking.state, booking.origin, booking.email) == (State.PENDING, Origin.STAFF, "asha@example.org")
    assert (booking.region, booking.user_message, booking.preferred_time_start.hour) == ("NA", "Sleeps badly.", 18)
    assert booking.consent_given_at is not None
    entry = LedgerEntry.objects.get()
    assert (entry.intent, entry.actor) == ("create_by_staff", "staff:desk")


def test_a_booking_beside_another_says_so(desk: Browser, now: datetime) -> None:
    other = story.pending(now=now)
    page = desk.post(new_url(), typed(), follow=True).content.decode()
    assert f"Also open under this address: {other}, Pending." in page
    assert Booking.objects.count() == 2


def test_one_click_that_arrives_twice_counts_once_and_shows_the_first_id(
    desk: Browser, now: datetime, clock: time_machine.Coordinates
) -> None:
    desk.post(new_url(), typed())
    booking, before = Booking.objects.get(), written()
    clock.move_to(now + timedelta(seconds=59))
    again = desk.post(new_url(), typed(), follow=True)
    assert again.redirect_chain == [(page_url(booking), 302)]
    assert f"This request was recorded a moment ago as {booking}, by staff:desk. Nothing was added." in (
        again.content.decode()
    )
    assert written() == before
    desk.post(new_url(), typed(preferred_date="2026-11-27"))
    clock.move_to(now + timedelta(seconds=60))
    desk.post(new_url(), typed())
    assert Booking.objects.count() == 3


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"preferred_date": "2026-11-22"}, "preferred_date", "This day is in the past."),
        ({"age": "12"}, "age", "Bookings are open from the age of 13."),
        ({"age": "121"}, "age", "Ensure this value is less than or equal to 120."),
        ({"phone_number": "98765 43210"}, "phone_number", "Give 10 digits."),
        ({"email": "nobody"}, "email", "Enter a valid email address."),
        ({"full_name": ""}, "full_name", "This field is required."),
        ({"full_name": "n" * 121}, "full_name", "Ensure this value has at most 120 characters (it has 121)."),
        ({"preferred_time_end": ""}, "preferred_time_end", "Give the hours that suit the caller, from and until."),
        ({"preferred_time_end": "18:00"}, "preferred_time_end", "The end must be after the start."),
        ({"consent": ""}, "consent", "This field is required."),
        ({"gender": "other"}, "gender", "Select a valid choice. other is not one of the available choices."),
    ],
)
def test_a_mistake_is_shown_beside_its_field_and_nothing_is_written(
    desk: Browser, changes: dict[str, str], field: str, sentence: str
) -> None:
    before = written()
    answer = desk.post(new_url(), typed(**changes))
    assert answer.status_code == 400
    assert {name: errors[0] for name, errors in answer.context["form"].errors.items()} == {field: sentence}
    assert "Sleeps badly." in answer.content.decode()
    assert written() == before


def test_hours_are_kept_of_the_custom_period_alone(desk: Browser) -> None:
    desk.post(new_url(), typed(preferred_period="MORNING"))
    assert Booking.objects.get().preferred_time_start is None


def test_recording_needs_the_permission_to_change_a_booking() -> None:
    reader = clerk("reader", "view_booking")
    assert new_url() not in reader.get(list_url(Booking)).content.decode()
    assert reader.get(new_url()).status_code == 404
    assert reader.post(new_url(), typed()).status_code == 404
    assert Browser().get(new_url())["Location"].startswith("/admin/login/")
    assert not Booking.objects.exists()
    assert clerk("decider", "change_booking").post(new_url(), typed()).status_code == 302
