"""Staff record the request of somebody on the phone; the id is there at once, and one click counts once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client as Browser

from backend.accounts.roles import Role
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry, Origin
from backend.desk.consequences import Consequences
from backend.desk.phone.page import ASKS
from backend.outbox.models import Message
from backend.people.models import Psychologist
from backend.scheduling import chosen_slot
from tests.support import roles, scenarios, working_hours
from tests.support.admin_site import caller_form, clerk, list_url, logged_in, new_booking_url, page_url, written

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only, pytest.mark.usefixtures("clock")]
PHONE = "Please enter a phone number, 10 digits, or with + and the country's code."
NAME = "Please enter a full name, of two letters or more."


def test_the_list_leads_to_the_form_and_the_form_to_the_new_booking_with_its_id(desk: Browser) -> None:
    assert new_booking_url() in desk.get(list_url(Booking)).content.decode()
    assert desk.get(new_booking_url()).status_code == 200
    answer = desk.post(new_booking_url(), caller_form(), follow=True)
    booking = Booking.objects.get()
    assert answer.redirect_chain == [(page_url(booking), 302)]
    page = answer.content.decode()
    assert f"The caller&#x27;s id is {booking}." in page
    assert "request received to asha@example.org (now)" in page
    assert (booking.state, booking.origin, booking.email) == (State.PENDING, Origin.STAFF, "asha@example.org")
    assert (booking.region, booking.user_message, booking.preferred_time_start.hour) == ("NA", "Sleeps badly.", 18)
    assert booking.consent_given_at is not None
    entry = LedgerEntry.objects.get()
    assert (entry.intent, entry.actor) == ("create_by_staff", "staff:desk")


def test_a_booking_beside_another_says_so(desk: Browser, now: datetime) -> None:
    other = scenarios.pending(now=now)
    page = desk.post(new_booking_url(), caller_form(), follow=True).content.decode()
    assert f"Also open under this address: {other}, Pending." in page
    assert Booking.objects.count() == 2


def test_one_click_that_arrives_twice_counts_once_and_shows_the_first_id(
    desk: Browser, now: datetime, clock: time_machine.Coordinates
) -> None:
    desk.post(new_booking_url(), caller_form())
    booking, before = Booking.objects.get(), written()
    clock.move_to(now + timedelta(seconds=59))
    again = desk.post(new_booking_url(), caller_form(), follow=True)
    assert again.redirect_chain == [(page_url(booking), 302)]
    assert f"This request was recorded a moment ago as {booking}, by desk. Nothing was added." in (
        again.content.decode()
    )
    assert written() == before
    desk.post(new_booking_url(), caller_form(preferred_date="2026-11-27"))
    clock.move_to(now + timedelta(seconds=60))
    desk.post(new_booking_url(), caller_form())
    assert Booking.objects.count() == 3


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"preferred_date": "2026-11-22"}, "preferred_date", "Please choose today or a later date."),
        ({"age": "12"}, "age", "Bookings are open from the age of 13."),
        ({"age": "121"}, "age", "Please enter an age in years, at most 120."),
        ({"phone_number": "98765 4321"}, "phone_number", PHONE),
        ({"email": "nobody"}, "email", "Please enter a valid email address."),
        ({"full_name": ""}, "full_name", NAME),
        ({"full_name": "n" * 121}, "full_name", f"{NAME} At most 120 characters."),
        ({"preferred_time_end": ""}, "preferred_time_end", "Please enter the hours that suit, from and to."),
        ({"preferred_time_end": "18:00"}, "preferred_time_end", "The end must be after the start."),
        ({"consent": ""}, "consent", "This field is required."),
        ({"gender": "other"}, "gender", "Select a valid choice. other is not one of the available choices."),
    ],
)
def test_a_mistake_is_shown_beside_its_field_and_nothing_is_written(
    desk: Browser, changes: dict[str, str], field: str, sentence: str
) -> None:
    before = written()
    answer = desk.post(new_booking_url(), caller_form(**changes))
    assert answer.status_code == 400
    assert {name: errors[0] for name, errors in answer.context["form"].errors.items()} == {field: sentence}
    assert "Sleeps badly." in answer.content.decode()
    assert written() == before


def test_hours_are_kept_of_the_custom_period_alone(desk: Browser) -> None:
    desk.post(new_booking_url(), caller_form(preferred_period="MORNING"))
    assert Booking.objects.get().preferred_time_start is None


def test_recording_needs_the_permission_to_change_a_booking() -> None:
    reader = clerk("reader", "view_booking")
    assert new_booking_url() not in reader.get(list_url(Booking)).content.decode()
    assert reader.get(new_booking_url()).status_code == 404
    assert reader.post(new_booking_url(), caller_form()).status_code == 404
    assert Browser().get(new_booking_url())["Location"].startswith("/admin/login/")
    assert not Booking.objects.exists()
    assert clerk("decider", "change_booking").post(new_booking_url(), caller_form()).status_code == 302


# -- somebody who is known, and a slot at once -------------------------------------------------------------------------


def free_slot(desk: Browser) -> str:
    """The first slot that the form offers."""
    value: str = desk.get(new_booking_url()).context["form"].fields["offered"].choices[1][0]
    return value


@pytest.fixture
def hours() -> None:
    working_hours.weekly(scenarios.psychologist(), "09:00 19:00")


def test_a_caller_is_found_by_address_or_number_and_fills_the_form(desk: Browser, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    for text in ("asha@example", "54321", "Rao"):
        people = desk.get(new_booking_url(), {"find": text}).context["people"]
        assert [person["booking"] for person in people] == [booking]
    assert desk.get(new_booking_url(), {"find": "nobody"}).context["people"] == []
    form = desk.get(new_booking_url(), {"like": str(booking.pk)}).context["form"]
    assert (form["full_name"].value(), form["phone_number"].value()) == ("Asha Rao", "+919876543210")
    assert desk.get(new_booking_url(), {"like": "x"}).context["known"] is None


def test_a_caller_is_found_by_an_address_in_other_letters(desk: Browser, now: datetime) -> None:
    desk.post(new_booking_url(), caller_form(email="asha@müller.example"))
    people = desk.get(new_booking_url(), {"find": "Asha@Müller.example"}).context["people"]
    assert [person["booking"] for person in people] == [Booking.objects.get()]


def test_numbers_of_a_known_caller_are_taken_over_without_being_shown(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    receptionist = logged_in(roles.account(Role.RECEPTIONIST))
    pages = [receptionist.get(new_booking_url(), query) for query in ({"like": str(booking.pk)}, {"find": "asha"})]
    assert not any("9876543210" in page.content.decode() for page in pages)
    sent = caller_form(like=str(booking.pk), phone_number="", emergency_contact="")
    assert receptionist.post(new_booking_url(), sent).status_code == 302
    made = Booking.objects.latest("pk")
    assert (made.phone_number, made.emergency_contact) == (booking.phone_number, booking.emergency_contact)


def test_a_free_slot_is_settled_with_the_request_and_the_link_to_pay_is_mailed(desk: Browser, hours: None) -> None:
    slot = free_slot(desk)
    sent = caller_form(offered=slot, paying="mailed", payment_mode="ONLINE", preferred_date="", preferred_period="")
    page = desk.post(new_booking_url(), sent, follow=True).content.decode()
    booking = Booking.objects.get()
    assert (booking.state, f"{booking.psychologist_id}@{booking.slot_start.isoformat()}") == (State.APPROVED, slot)
    assert f"The caller&#x27;s id is {booking}." in page
    assert "booking_approved" in scenarios.notices_about(booking)


def test_what_was_paid_at_the_desk_confirms_the_slot(desk: Browser, hours: None) -> None:
    desk.post(new_booking_url(), caller_form(offered=free_slot(desk), paying="desk"))
    booking = Booking.objects.get()
    assert booking.state == State.CONFIRMED
    assert [entry.intent for entry in LedgerEntry.objects.order_by("sequence")] == [
        "create_by_staff", "approve", "record_desk_payment",
    ]  # fmt: skip


def test_what_follows_is_told_before_anything_is_recorded(desk: Browser, hours: None) -> None:
    assert desk.get(new_booking_url()).context["consequences"] == Consequences(unknown=ASKS)
    before = written()
    sent = caller_form(offered=free_slot(desk), paying="desk", preview="1")
    answer = desk.post(new_booking_url(), sent)
    lines = dict(answer.context["consequences"].lines)
    assert answer.status_code == 200
    assert lines["Booking"][0] == "It is then Confirmed."
    assert {"request received to asha@example.org (now)", "session confirmed to asha@example.org (now)"} <= {
        *lines["Mail"]
    }
    assert lines["Money"][0] == "You record that ₹1,500.00 was handed to you."
    minor = desk.post(new_booking_url(), sent | {"age": "16"}).context["consequences"]
    assert dict(minor.lines)["Booking"][0] == "It is then Pending."
    assert "the guardian's consent first" in minor.unknown
    assert desk.post(new_booking_url(), sent | {"email": "nobody"}).status_code == 400
    assert written() == before
    assert not Booking.objects.exists()


def test_a_slot_that_was_lost_leaves_the_request_with_its_id(desk: Browser, now: datetime, hours: None) -> None:
    slot = free_slot(desk)
    desk.post(new_booking_url(), caller_form(offered=slot))
    page = desk.post(
        new_booking_url(), caller_form(offered=slot, email="ravi@example.org"), follow=True
    ).content.decode()
    second = Booking.objects.get(email="ravi@example.org")
    assert second.state == State.PENDING
    assert f"The caller&#x27;s id is {second}." in page
    assert "The psychologist has another session at this time." in page


def test_a_slot_that_nobody_gives_any_more_or_that_began_meanwhile_is_chosen_again(
    desk: Browser, hours: None, clock: time_machine.Coordinates, now: datetime
) -> None:
    slot = free_slot(desk)
    chosen = chosen_slot.decode_slot(slot)
    assert chosen is not None
    clock.move_to(chosen.start)
    began = desk.post(new_booking_url(), caller_form(offered=slot))
    clock.move_to(now)
    Psychologist.objects.update(is_active=False)
    gone = desk.post(new_booking_url(), caller_form(offered=slot))
    for answer in (began, gone):
        assert answer.status_code == 400
        assert answer.context["form"].errors == {"offered": ["This slot is not offered any more. Choose again."]}
    assert not Booking.objects.exists()


def test_the_same_click_with_a_slot_settles_it_once(desk: Browser, hours: None) -> None:
    sent = caller_form(offered=free_slot(desk), paying="desk")
    desk.post(new_booking_url(), sent)
    before = written()
    assert "Nothing was added" in desk.post(new_booking_url(), sent, follow=True).content.decode()
    assert written() == before


def test_a_minors_slot_needs_the_guardians_consent(desk: Browser, hours: None) -> None:
    slot = free_slot(desk)
    page = desk.post(new_booking_url(), caller_form(offered=slot, age="16"), follow=True).content.decode()
    assert "record the guardian&#x27;s consent first" in page
    desk.post(new_booking_url(), caller_form(offered=slot, age="16", email="r@example.org", **scenarios.GUARDIAN_TYPED))
    assert Booking.objects.get(email="r@example.org").state == State.APPROVED


def test_a_span_dragged_in_the_calendar_brings_its_first_free_slot_chosen(desk: Browser) -> None:
    early, late = (working_hours.psychologist(name, hours="09:00 19:00") for name in ("Dr. A", "Dr. B"))
    span = {"preferred_date": "2027-01-12", "preferred_time_start": "11:00", "preferred_time_end": "12:30"}

    def chosen(**more: object) -> str:
        form = desk.get(new_booking_url(), {**span, **more}).context["form"]
        value: str = form["offered"].value() or ""
        assert value in dict(form.fields["offered"].choices)
        return value

    assert chosen() == f"{early.pk}@2027-01-12T06:00:00+00:00"  # 11:30 is the first start of its grid
    assert chosen(psychologist=late.pk) == f"{late.pk}@2027-01-12T06:00:00+00:00"
    assert chosen(psychologist=late.pk, preferred_time_end="11:15") == ""
    assert chosen(preferred_date="soon") == ""


# -- which slots a caller is offered -----------------------------------------------------------------------------------


@pytest.mark.sqlite_only
def test_a_slot_for_online_sessions_alone_says_so_and_takes_no_request_in_person(desk: Browser, now: datetime) -> None:
    working_hours.weekly(scenarios.psychologist(), "09:00 19:00", offers="ONLINE")
    page = desk.get(new_booking_url())
    value, label = page.context["form"].fields["offered"].choices[1]
    assert label.endswith("Dr. Meera Iyer, online only")
    answer = desk.post(new_booking_url(), caller_form(offered=value, mode="OFFLINE", paying="mailed"))
    assert answer.context["form"].errors == {
        "offered": ["This time is online only. Choose another, or another kind of session."]
    }
    assert not Booking.objects.exists()
    assert not Message.objects.exists()


@pytest.mark.sqlite_only
@pytest.mark.usefixtures("hours")
def test_a_caller_can_have_a_slot_within_the_notice(desk: Browser, now: datetime) -> None:
    _, start = free_slot(desk).split("@")
    assert datetime.fromisoformat(start) - now < timedelta(hours=3)
    done = desk.post(new_booking_url(), caller_form(offered=free_slot(desk), paying="desk"))
    assert done.status_code == 302
    assert Booking.objects.get().state == State.CONFIRMED
