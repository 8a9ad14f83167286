"""The visitor's own pages: each opens, none acts by GET, forms ask again, and nobody learns who is known."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.people.models import Enquiry
from tests.support import api, scenarios, working_hours
from tests.support.database_rows import everything
from tests.support.visit_pages import Visitor, read, text_of

pytestmark = [
    pytest.mark.sqlite_only,
    pytest.mark.django_db,
    pytest.mark.usefixtures("clock", "sandbox_payments", "no_other_site"),
]
BOOKING, STATUS, LINK, TIMES, REQUEST = (
    *("/verify-email", "/visit/status/", "/visit/link/", "/visit/times/", "/visit/request/"),
)
SEND = "Send the request"


@pytest.fixture
def no_other_site(settings: Any) -> None:
    settings.HAS_OTHER_SITE = False


def typed(now: datetime, **changes: str) -> dict[str, str]:
    """The form, filled in, as a browser sends it."""
    form = {name: str(value) for name, value in api.form(now).items()}
    return form | {"consent_given": "yes"} | changes


@pytest.mark.parametrize("address", ["/visit/", TIMES, REQUEST, "/visit/sent/", STATUS, LINK, "/visit/enquiry/"])
def test_a_page_that_needs_no_link_opens_and_changes_nothing(address: str) -> None:
    unchanged = everything()
    text = read(Visitor().open(address))
    assert "Leave this page" in text
    assert everything() == unchanged


# -- the front door ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/json, text/html"])
def test_who_wakes_the_service_is_answered_in_json(accept: str | None) -> None:
    answer = Client().get("/", headers={"accept": accept} if accept else {})
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "Accept" in answer["Vary"]


def test_a_browser_is_led_to_the_pages_unless_there_is_another_site(settings: Any) -> None:
    headers = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    assert Client().get("/", headers=headers)["Location"] == "/visit/"
    settings.HAS_OTHER_SITE = True
    assert Client().get("/", headers=headers).json() == {"status": "ok"}


# -- asking for a session ----------------------------------------------------------------------------------------------


def test_a_time_is_chosen_and_asked_for(now: datetime) -> None:
    who = working_hours.psychologist()
    visitor = Visitor()
    page = visitor.open(TIMES, day="2026-11-26")
    text = read(page)
    assert "Thursday, 26 November 2026" in text
    assert "Days and times are the practice's (Asia/Kolkata), wherever you are." in text
    (first, *_) = [link for link in text_of(page).split('"') if link.startswith(f"{REQUEST}?slot=")]
    form = visitor.open(first.replace("&amp;", "&"))
    assert "Thursday, 26 November 2026, 10:00 IST With Dr. Meera Iyer Where Online" in read(form)
    sent = typed(now)
    for name in ("preferred_date", "preferred_period", "mode"):
        del sent[name]
    assert "open the link in our email" in read(visitor.follow(visitor.send(form, SEND, **sent)))
    booking = Booking.objects.get()
    assert (booking.state, booking.preferred_psychologist) == (State.DRAFT, who)
    assert booking.preferred_slot_start == working_hours.at("10:00", working_hours.WEDNESDAY.replace(day=26))


def test_a_wish_is_sent_and_what_cannot_be_read_comes_back_as_it_was_typed(now: datetime) -> None:
    visitor = Visitor()
    form = visitor.open(REQUEST)
    again = visitor.send(form, SEND, **typed(now, age="ten", city="Pune <b>", consent_given=""))
    text = read(again, 400)
    assert "Please enter an age in years" in text
    assert "We need your consent" in text
    assert 'value="Pune &lt;b&gt;"' in text_of(again)
    assert not Booking.objects.exists()
    too_young = visitor.send(form, SEND, **typed(now, age="3"))
    assert 'aria-describedby="age-wrong"' in text_of(too_young)
    assert visitor.send(form, SEND, **typed(now)).status_code == 303


def test_known_and_unknown_addresses_are_answered_alike(now: datetime) -> None:
    scenarios.pending(now=now)
    visitor = Visitor()
    form, link = visitor.open(REQUEST), visitor.open(LINK)
    asked = [visitor.send(form, SEND, **typed(now, email=one)) for one in (scenarios.ASHA, "new@example.org")]
    asked += [visitor.send(link, "Mail me my link", email=one) for one in (scenarios.ASHA, "new@example.org")]
    assert [(answer.status_code, answer["Location"]) for answer in asked] == [
        *2 * [(303, "/visit/sent/")],
        *2 * [(303, "/visit/sent/?what=link")],
    ]


def test_a_form_of_another_site_is_refused() -> None:
    unchanged = everything()
    for address in (REQUEST, LINK, STATUS, BOOKING, "/payment", "/visit/enquiry/"):
        assert "Your browser kept no cookie" in read(Visitor().browser.post(address, {}), 403)
    assert everything() == unchanged


# -- the booking link --------------------------------------------------------------------------------------------------


def test_the_booking_link_proves_by_its_button_alone(now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    visitor, token = Visitor(), scenarios.token_of(booking)
    unchanged = everything()
    page = visitor.open(BOOKING, token=token)
    assert "Send us your request?" in read(page)
    assert booking.acknowledgement_id not in text_of(page)
    assert visitor.browser.head(BOOKING, {"token": token}).status_code == 200
    assert everything() == unchanged
    text = read(visitor.follow(visitor.send(page, "Yes, send my request")))
    assert "Your request is with us" in text
    assert booking.acknowledgement_id in text
    booking.refresh_from_db()
    assert booking.state == State.PENDING


def test_the_booking_page_mails_the_links_that_act(now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=scenarios.slot_tomorrow(now).replace(day=30))
    visitor = Visitor()
    page = visitor.open(BOOKING, token=scenarios.token_of(booking))
    assert "Your session is confirmed" in read(page)
    back = visitor.follow(visitor.send(page, "Mail me the link to cancel"))
    assert "Nothing is cancelled yet" in read(back)
    visitor.send(page, "Mail me the link to choose another time")
    assert {Notice.CANCELLATION_REQUESTED, Notice.LINK_REQUESTED} <= set(scenarios.notices_about(booking))
    assert read(visitor.open("/visit/booking/", token="nobody"), 404)


def test_the_calendar_file_says_nothing_of_what_it_is_for(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    answer = Visitor().open("/visit/calendar/", token=scenarios.token_of(booking))
    assert answer["Content-Type"] == "text/calendar"
    assert f"SUMMARY:Appointment {booking.acknowledgement_id}" in answer.content.decode()
    assert "psycholog" not in answer.content.decode().lower()


def test_a_calendar_that_others_see_can_be_left_alone(now: datetime) -> None:
    visitor = Visitor()
    visitor.send(visitor.open(REQUEST), SEND, **typed(now, no_calendar_entry="yes"))
    booking = Booking.objects.get()
    assert not booking.calendar_entry
    visitor.send(visitor.open(BOOKING, token=scenarios.token_of(booking)), "Yes, send my request")
    for press, wants in (("Put my sessions into my calendar", True), ("Put nothing into my calendar", False)):
        visitor.send(visitor.open(BOOKING, token=scenarios.token_of(booking)), press)
        assert scenarios.again(booking).calendar_entry is wants


# -- by id -------------------------------------------------------------------------------------------------------------


def by_id(visitor: Visitor, acknowledgement_id: str) -> HttpResponse:
    return visitor.open(STATUS, id=acknowledgement_id)


def test_an_unproved_booking_is_as_unknown_as_none(now: datetime) -> None:
    draft, visitor = scenarios.submitted(now=now), Visitor()
    answers = [read(by_id(visitor, one), 404) for one in (draft.acknowledgement_id, "MS-AAAAAA")]
    assert answers[0] == answers[1]


def test_by_id_nothing_personal_is_read_and_a_payment_can_begin(now: datetime) -> None:
    booking, visitor = scenarios.approved(now=now), Visitor()
    page = by_id(visitor, booking.acknowledgement_id)
    text = read(page)
    assert "We are holding a time for you" in text
    assert "Asha" not in text
    assert scenarios.ASHA not in text
    unchanged = everything()
    pay = visitor.open("/payment", id=booking.acknowledgement_id)
    assert "Pay for your session" in read(pay)
    assert everything() == unchanged
    refused = visitor.send(pay, "Pay ₹1,500.00")  # no gateway answers here
    assert refused.status_code == 503
    booking.refresh_from_db()
    assert booking.state == State.PAYMENT_PENDING


def test_a_gateway_that_does_not_answer_is_told_on_the_page(now: datetime, settings: Any) -> None:
    settings.ALLOW_SANDBOX_PAYMENTS, settings.SANDBOX_URL = True, "http://127.0.0.1:1"
    booking, visitor = scenarios.approved(now=now), Visitor()
    pay = visitor.open("/payment", id=booking.acknowledgement_id)
    assert "If you have paid, do not pay again" in read(visitor.send(pay, "Pay ₹1,500.00"), 503)


def test_an_enquiry_is_kept_with_the_address_to_answer() -> None:
    visitor = Visitor()
    page = visitor.open("/visit/enquiry/")
    assert "Please write your message." in read(visitor.send(page, "Send", email="asha@example.org", text=""), 400)
    sent = visitor.send(page, "Send", email="asha@example.org", subject="Fees", text="What does it cost?")
    assert "Your message has reached us" in read(visitor.follow(sent))
    assert Enquiry.objects.get().text == "What does it cost?\n\nasha@example.org"


@pytest.mark.parametrize(
    ("address", "typed"),
    [("/payment", {}), ("/visit/pay/", {}), ("/visit/pay/", {"id": "MS-"}), ("/visit/status/", {"id": "x" * 300})],
)
def test_an_address_that_lacks_its_booking_is_told_so(address: str, typed: dict[str, str]) -> None:
    visitor = Visitor()
    page = visitor.browser.get(address, typed, follow=True)
    assert page.status_code in (400, 404)
    assert read(page, page.status_code)


def test_a_form_that_lacks_its_booking_is_told_so(now: datetime) -> None:
    visitor = Visitor()
    for address in ("/visit/status/", "/visit/pay/", "/visit/link/"):
        answer = visitor.browser.post(address, {}, headers={"Origin": "http://testserver"})
        assert 400 <= answer.status_code < 500, address


def test_the_form_keeps_the_language_it_is_read_in_and_the_browser_s_zone(now: datetime) -> None:
    visitor = Visitor()
    form = visitor.open(REQUEST, language="hi")
    assert visitor.send(form, "अनुरोध भेजें", **typed(now, timezone="Europe/London")).status_code == 303
    booking = Booking.objects.get()
    assert (booking.language, booking.time_zone) == ("hi", "Europe/London")
