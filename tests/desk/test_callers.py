"""Callers of whom staff know a name and a number: a client of their own, without links, and told by telephone."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse

from backend.bookings.lifecycle import approval, attempts, cancellation, desk_money
from backend.bookings.lifecycle.alternatives import OfferedSlot
from backend.bookings.lifecycle.session_terms import Approval
from backend.bookings.machine import State
from backend.bookings.models import Booking, Link
from backend.core.errors import Code, Refused
from backend.outbox.models import Message, MessageState
from backend.people.models import Client
from tests.support import scenarios, working_hours
from tests.support.admin_site import action_url, caller_form, list_url, new_booking_url
from workers import mail

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
LITTLE = dict.fromkeys(("email", "age", "gender", "emergency_contact", "city", "region", "country"), "")


def call(desk: Browser, **typed: str) -> Booking:
    answer = desk.post(new_booking_url(), caller_form(**{**LITTLE, **typed}))
    assert answer.status_code == 302, answer.context["form"].errors
    return Booking.objects.latest("pk")


def confirmed(desk: Browser, now: datetime) -> Booking:
    """Rang, got a time, and paid at the desk."""
    booking = call(desk, payment_mode="ONLINE")
    given = Approval(scenarios.psychologist().pk, scenarios.slot_tomorrow(now))
    approval.approve(booking.pk, given, actor="staff:desk", now=now)
    desk_money.record_desk_payment(booking.pk, actor="staff:desk", now=now)
    return scenarios.again(booking)


def lines(desk: Browser) -> list[tuple[str, str, str]]:
    sections = {section.name: section for section in desk.get("/admin/").context["sections"]}
    return [(line.who, line.what, line.phone) for line in sections["untold"].lines]


def test_a_name_and_a_number_are_enough(desk: Browser) -> None:
    booking = call(desk, payment_mode="ONLINE")
    assert (booking.email, booking.age, booking.phone_number) == ("", None, "+919876543210")
    assert booking.payment_mode == "OFFLINE"  # there is no link to pay by
    assert call(desk, email="asha@example.org", phone_number="").phone_number == ""


def test_who_cannot_be_reached_is_refused(desk: Browser) -> None:
    answer = desk.post(new_booking_url(), caller_form(**LITTLE, phone_number=""))
    assert answer.status_code == 400
    sentence = "Please enter a telephone number or an email address, to reach them by."
    assert answer.context["form"].errors["phone_number"] == [sentence]
    assert not Client.objects.exists()


def test_callers_without_an_address_are_never_one_client_and_one_click_counts_once(desk: Browser) -> None:
    first = call(desk)
    assert call(desk) == first
    second = call(desk, full_name="Vikram Rao")
    assert first.client_id != second.client_id
    assert list(Client.objects.values_list("email", flat=True)) == ["", ""]


def test_nothing_is_mailed_to_who_has_no_address(desk: Browser, now: datetime) -> None:
    booking = confirmed(desk, now)
    assert scenarios.notices_about(booking)
    assert not Link.objects.exists()
    for act in (cancellation.request_cancellation, attempts.start_payment):
        with pytest.raises(Refused) as refused:
            act(booking.acknowledgement_id, now=now)
        assert refused.value.code is Code.NO_ADDRESS


def test_who_has_no_address_is_offered_no_times_to_click_on(desk: Browser, now: datetime) -> None:
    booking = call(desk)
    who = working_hours.psychologist()
    offers = [OfferedSlot(who.pk, scenarios.slot_tomorrow(now))]
    with pytest.raises(Refused) as refused:
        approval.reject(booking.pk, note_to_visitor="", offers=offers, actor="staff:desk", now=now)
    assert refused.value.code is Code.NO_ADDRESS
    assert "alternative_1" not in desk.get(action_url(booking, "reject")).context["form"].fields


# -- to tell by telephone ----------------------------------------------------------------------------------------------


def test_a_notice_is_told_by_telephone_once_and_while_it_is_true(
    desk: Browser, now: datetime, clock: time_machine.Coordinates
) -> None:
    booking = confirmed(desk, now)
    assert lines(desk) == [("Asha Rao", "request received, request approved, session confirmed", "9876543210")]
    mail.drain()
    listed = desk.get(list_url(Booking), {"waits": "untold"}).context["cl"].queryset
    assert list(listed) == [booking]
    assert lines(desk) == [("Asha Rao", "session confirmed", "9876543210")]  # the worker finds out what is overtaken
    (waiting,) = Message.objects.filter(kind="booking_confirmed")
    assert (waiting.state, waiting.attempts, waiting.may_have_left) == (MessageState.WAITING, 0, False)
    tell = reverse("admin:bookings_booking_tell", args=[booking.pk])
    page = desk.get(tell)
    assert (page.context["notices"], page.context["phone"]) == (["session confirmed"], "9876543210")
    sent = {"up_to": str(page.context["up_to"])}
    assert "Recorded: Asha Rao was told." in desk.post(tell, sent, follow=True).content.decode()
    assert "Nothing was changed." in desk.post(tell, sent, follow=True).content.decode()
    assert Message.objects.get(pk=waiting.pk).last_error == "told by desk"
    assert lines(desk) == []
    clock.move_to(now + timedelta(hours=20))  # the reminder of the next day
    mail.drain()
    assert [what for _, what, _ in lines(desk)] == ["reminder of the session"]


def test_what_came_while_the_page_was_open_is_still_to_be_told(desk: Browser, now: datetime) -> None:
    booking = confirmed(desk, now)
    tell = reverse("admin:bookings_booking_tell", args=[booking.pk])
    sent = {"up_to": str(desk.get(tell).context["up_to"])}
    scenarios.call_off(booking, now)
    desk.post(tell, sent)
    assert "booking cancelled" in lines(desk)[0][1]
    assert "session confirmed" not in lines(desk)[0][1]
    assert booking.state == State.CONFIRMED
