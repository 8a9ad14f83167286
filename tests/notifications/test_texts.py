"""What each mail tells the visitor of times, places and payment; and its calendar entry."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from icalendar import Calendar
from pytest_django import Settings

from backend.bookings.intents import Intent
from backend.bookings.ledger_details import Moved, NotPaidInTime, UnexpectedlyCaptured
from backend.bookings.machine import Reason, State
from backend.bookings.models import Mode, Origin, PaymentMode, Period
from backend.bookings.notices import Notice
from backend.people.models import Corporate
from tests.support.factories import make_booking, make_payment, make_psychologist, write_row
from tests.support.mails import html_of, mail_about, mail_of

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]

OF_AN_APPROVAL = (Notice.BOOKING_APPROVED, Notice.PAYMENT_STILL_DUE, Notice.PAYMENT_ATTEMPT_FAILED)
UNPAID = (*OF_AN_APPROVAL, Notice.BOOKING_MOVED)
CONFIRMATIONS = (Notice.BOOKING_CONFIRMED, Notice.LATE_PAYMENT_BOOKED)
OF_A_SESSION = (*CONFIRMATIONS, Notice.SESSION_APPROACHING, Notice.SESSION_IMMINENT)
AT_THE_PRACTICE = {"mode": Mode.OFFLINE, "payment_mode": PaymentMode.OFFLINE, "address": "12 Baker Road\nPune"}


def said(mail: Any) -> list[str]:
    """Both bodies on one line each, to look for sentences in."""
    return [" ".join(mail.body.split()), " ".join(html_of(mail).split())]


# -- the request ------------------------------------------------------------------------------------------------------


def test_a_draft_hears_until_when_its_link_is_valid(now: datetime) -> None:
    for text in said(mail_of(Notice.DRAFT_SUBMITTED, now=now, due_at=now + timedelta(hours=48))):
        assert "Wednesday, 25 November 2026, 10:00 IST" in text


def test_a_request_repeats_the_hours_that_were_preferred(now: datetime) -> None:
    hours = {"preferred_time_start": time(10), "preferred_time_end": time(12, 30)}
    mail = mail_of(Notice.BOOKING_RECEIVED, now=now, preferred_period=Period.CUSTOM, **hours)
    assert "Thursday, 3 December 2026, between 10:00 and 12:30 IST" in mail.body
    assert "in the morning" not in mail.body


@pytest.mark.parametrize("notice", [Notice.BOOKING_RECEIVED, Notice.ANSWER_LATE])
def test_who_waits_hears_until_when_we_answer(notice: Notice, now: datetime) -> None:
    for text in said(mail_of(notice, now=now, due_at=now + timedelta(hours=96))):
        assert "Friday, 27 November 2026, 10:00 IST" in text


def test_only_who_proved_the_address_is_thanked_for_it(now: datetime) -> None:
    for text in said(mail_of(Notice.BOOKING_RECEIVED, now=now, origin=Origin.STAFF)):
        assert "our team has entered a request" in text
        assert "is confirmed" not in text


def test_who_asked_again_hears_that_the_request_is_at_the_top(now: datetime) -> None:
    for text in said(mail_of(Notice.BOOKING_RECEIVED, now=now, is_priority=True)):
        assert "Thank you for asking again. Your request is with our team, at the top of the list." in text


def test_being_late_is_said_to_be_no_refusal(now: datetime) -> None:
    for text in said(mail_of(Notice.ANSWER_LATE, now=now)):
        assert "This is not a refusal:" in text


def test_the_apology_says_until_when_one_click_asks_again(now: datetime) -> None:
    for text in said(mail_of(Notice.BOOKING_UNANSWERED, now=now)):
        assert "we are sorry" in text
        assert "Monday, 7 December 2026, 10:00 IST" in text


@pytest.mark.parametrize("notice", [Notice.BOOKING_REJECTED, Notice.BOOKING_CANCELLED])
def test_what_staff_add_is_told_once_and_escaped(notice: Notice, now: datetime) -> None:
    mail = mail_of(notice, now=now, note_to_visitor="We treat <adults> only.\r\nBe well & safe.")
    assert mail.body.count("We treat <adults> only. Be well & safe.") == 1
    assert "We treat &lt;adults&gt; only. Be well &amp; safe." in html_of(mail)


@pytest.mark.parametrize("notice", [Notice.BOOKING_REJECTED, Notice.BOOKING_CANCELLED])
def test_where_staff_add_nothing_no_words_of_theirs_are_announced(notice: Notice, now: datetime) -> None:
    for text in said(mail_of(notice, now=now)):
        assert "Our team adds" not in text


def test_a_closed_bookings_link_says_until_when_it_can_be_read(now: datetime) -> None:
    mail = mail_about(Notice.LINK_REQUESTED, make_booking(State.REJECTED, now=now), now=now)
    assert "Wednesday, 23 December 2026, 10:00 IST" in mail.body


def test_who_already_has_a_booking_hears_that_the_new_text_was_not_kept(now: datetime) -> None:
    for text in said(mail_of(Notice.ALREADY_BOOKED, now=now)):
        assert "the new one was not kept, nor anything that was written in it" in text


# -- the proof of an address -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_other_site", [False, True])
@pytest.mark.parametrize("notice", [Notice.DRAFT_SUBMITTED, Notice.DRAFT_STILL_UNVERIFIED])
def test_who_confirms_on_our_own_page_reads_that_a_button_does_it(
    notice: Notice, has_other_site: bool, now: datetime, settings: Settings
) -> None:
    settings.HAS_OTHER_SITE = has_other_site
    told = ["press the button" in text.lower() for text in said(mail_of(notice, now=now))]
    assert told == [not has_other_site] * 2


# -- the payment ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("notice", UNPAID)
def test_who_has_to_pay_hears_how_much_and_until_when_and_nothing_of_the_grace(notice: Notice, now: datetime) -> None:
    for text in said(mail_of(notice, now=now, pay_by=now + timedelta(hours=2))):
        assert "₹1,500.00" in text
        assert "Monday, 23 November 2026, 12:00 IST" in text
        assert "12:10" not in text


@pytest.mark.parametrize("notice", [*UNPAID, Notice.PAYMENT_RETURNED])
def test_who_pays_online_is_given_the_page(notice: Notice, now: datetime, settings: Settings) -> None:
    settings.PAYMENT_GATEWAY, settings.FRONTEND_URL = "sandbox", "https://www.example.org"
    mail = mail_of(notice, now=now, acknowledgement_id="MS-7K2QXW")
    assert "https://www.example.org/payment?id=MS-7K2QXW" in mail.body.split()
    assert 'href="https://www.example.org/payment?id=MS-7K2QXW"' in html_of(mail)
    assert "by phone" not in mail.body


@pytest.mark.parametrize("notice", UNPAID)
def test_who_would_rather_not_pay_online_reads_the_other_ways_and_the_page(
    notice: Notice, now: datetime, settings: Settings
) -> None:
    settings.PAYMENT_GATEWAY = "sandbox"
    for text in said(mail_of(notice, now=now, payment_mode=PaymentMode.OFFLINE)):
        assert "at the practice's desk or by phone with the practice" in text
        assert "/payment?id=MS-" in text


@pytest.mark.parametrize("notice", UNPAID)
def test_no_page_is_named_where_online_payment_is_off(notice: Notice, now: datetime, settings: Settings) -> None:
    settings.PAYMENT_GATEWAY = ""
    for text in said(mail_of(notice, now=now)):
        assert "/payment" not in text
        assert "Please pay at the practice's desk or by phone with the practice." in text


@pytest.mark.parametrize("notice", UNPAID)
def test_the_meeting_link_waits_for_the_payment(notice: Notice, now: datetime) -> None:
    for text in said(mail_of(notice, now=now)):
        assert "the meeting link comes with your confirmation" in text
        assert "https://meet.example.org" not in text


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (Reason.ATTEMPT_FAILED, "The bank declined your payment, so it has not reached us."),
        (Reason.ATTEMPT_IDLE, "The payment that you began was not finished, and nothing has reached us."),
    ],
)
def test_a_failed_attempt_says_what_became_of_it(reason: Reason, sentence: str, now: datetime) -> None:
    booking = make_booking(State.APPROVED, now=now)
    entry = write_row(booking, Intent.END_IDLE_ATTEMPT, NotPaidInTime(), now=now, reason=reason)
    mail = mail_about(Notice.PAYMENT_ATTEMPT_FAILED, booking, now=now, ledger_sequence=entry.sequence)
    for text in said(mail):
        assert sentence in text


def test_who_did_not_pay_in_time_hears_what_late_money_does(now: datetime) -> None:
    for text in said(mail_of(Notice.PAYMENT_TIMED_OUT, now=now)):
        assert "Tuesday, 24 November 2026, 17:30 IST" in text
        assert "otherwise the payment goes back to you in full" in text


STANDING = [
    (State.APPROVED, "is not paid for yet. We hold the time for you. Please pay ₹1,500.00 by"),
    (State.CONFIRMED, "Your session on Tuesday, 24 November 2026, 17:30 IST is confirmed."),
    (State.COMPLETED, "Your session on Sunday, 22 November 2026, 17:30 IST is over."),
    (State.CANCELLED, "It is closed, and there is nothing to pay for it."),
    (State.PAYMENT_FAILED, "It is closed, and there is nothing to pay for it."),
]


@pytest.mark.parametrize(("state", "sentence"), STANDING)
def test_a_payment_that_goes_back_says_how_the_booking_stands(state: State, sentence: str, now: datetime) -> None:
    mail = mail_about(Notice.PAYMENT_RETURNED, make_booking(state, now=now), now=now)
    assert "a payment of ₹1,500.00 goes back to you" in mail.subject
    for text in said(mail):
        assert "in full, by itself" in text
        assert "When we wrote this, on Monday, 23 November 2026, 10:00 IST" in text
        assert sentence in text.replace("<strong>", "")


def test_a_payment_in_another_currency_is_not_called_rupees(now: datetime) -> None:
    booking = make_booking(State.APPROVED, now=now)
    payment = make_payment(booking, now=now, captured_currency="USD", is_unexpected=True)
    entry = write_row(
        booking, Intent.RECORD_UNEXPECTED_CAPTURE, UnexpectedlyCaptured(payment.pk, payment.captured_paise), now=now
    )
    mail = mail_about(Notice.PAYMENT_RETURNED, booking, now=now, ledger_sequence=entry.sequence)
    assert "1,500.00 USD" in mail.subject


# -- the session ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("notice", OF_A_SESSION)
def test_an_online_session_is_told_its_psychologist_and_meeting_link(notice: Notice, now: datetime) -> None:
    for text in said(mail_of(notice, now=now)):
        assert "Dr. Meera Iyer" in text
        assert "https://meet.example.org/meera" in text


@pytest.mark.parametrize("notice", [*OF_A_SESSION, *UNPAID])
def test_a_session_in_person_is_told_its_address_on_one_line(notice: Notice, now: datetime) -> None:
    for text in said(mail_of(notice, now=now, mode=Mode.OFFLINE, address="12 Baker Road,\r\nPune 411001")):
        assert "12 Baker Road, Pune 411001" in text


MONEY = [
    ({}, 150_000, "₹1,500.00 received, thank you"),
    (AT_THE_PRACTICE, None, "₹1,500.00, due at the practice"),
    (AT_THE_PRACTICE | {"amount_paise": 0}, None, "nothing to pay"),
    ({"amount_paise": 0}, None, "nothing to pay"),
]


@pytest.mark.parametrize("notice", [Notice.BOOKING_CONFIRMED, Notice.BOOKING_MOVED])
@pytest.mark.parametrize(("fields", "captured_paise", "sentence"), MONEY)
def test_a_confirmation_tells_the_money_as_it_is(
    notice: Notice, fields: dict[str, Any], captured_paise: int | None, sentence: str, now: datetime
) -> None:
    booking = make_booking(State.CONFIRMED, now=now, **fields)
    if captured_paise is not None:
        make_payment(booking, now=now, captured_paise=captured_paise)
    mail = mail_about(notice, booking, now=now)
    assert f"Payment: {sentence}" in mail.body
    assert sentence in html_of(mail).lower() or sentence in html_of(mail)
    assert ("payment received" in mail.body) == (captured_paise is None)  # the site's words, put right
    assert ("received, thank you" in mail.body) == (captured_paise is not None)


def test_a_sponsored_session_is_not_said_to_be_paid_by_the_visitor(now: datetime) -> None:
    acme = Corporate.objects.create(name="Acme Mills")
    mail = mail_about(Notice.BOOKING_CONFIRMED, make_booking(State.CONFIRMED, now=now, corporate=acme), now=now)
    assert "Payment: nothing to pay; your session is sponsored" in mail.body
    assert "₹" not in mail.body
    assert "Acme" not in mail.body


def test_money_that_nobody_expected_is_not_called_the_payment(now: datetime) -> None:
    booking = make_booking(State.CONFIRMED, now=now)
    make_payment(booking, now=now, is_unexpected=True)
    mail = mail_about(Notice.BOOKING_CONFIRMED, booking, now=now)
    assert "please pay when you come" in mail.body
    assert "nothing to pay" not in mail.body


def test_a_late_payment_is_said_to_have_come_late(now: datetime) -> None:
    for text in said(mail_of(Notice.LATE_PAYMENT_BOOKED, now=now)):
        assert "Your payment came late" in text
        assert "your session is confirmed" in text


@pytest.mark.parametrize("state", [State.APPROVED, State.CONFIRMED])
def test_a_move_tells_both_times_and_that_older_links_died(state: State, now: datetime) -> None:
    mail = mail_about(Notice.BOOKING_MOVED, make_booking(state, now=now), now=now)
    assert mail.subject.endswith("has a new time: Tuesday, 24 November 2026, 17:30 IST")
    for text in said(mail):
        assert "Tuesday, 24 November 2026, 15:30 IST" in text
        assert "Tuesday, 24 November 2026, 17:30 IST" in text
        assert "Links to cancel or to choose another time in our earlier mails no longer work" in text


def test_a_move_to_a_colleague_at_the_same_time_is_not_called_a_new_time(now: datetime) -> None:
    booking = make_booking(State.CONFIRMED, now=now)
    assert booking.slot_start is not None
    move = Moved(booking.slot_start, booking.slot_start, booking.psychologist_id, make_psychologist("Dr. Rao").pk)
    entry = write_row(booking, Intent.RESCHEDULE, move, now=now)
    mail = mail_about(Notice.BOOKING_MOVED, booking, now=now, ledger_sequence=entry.sequence)
    assert mail.subject.endswith("has changed: Tuesday, 24 November 2026, 17:30 IST")
    for text in said(mail):
        assert "Your session has changed; its time is the same." in text
        assert "Before" not in text


# -- the calendar entry -----------------------------------------------------------------------------------------------


def event_in(mail: Any) -> Any:
    """The one event of the attached calendar."""
    (attached,) = mail.attachments
    assert attached.content == mail.alternatives[1].content
    (event,) = Calendar.from_ical(attached.content).walk("VEVENT")
    return event


def test_the_calendar_entry_has_the_right_instants_and_says_little(now: datetime, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://api.example.org"
    booking = make_booking(State.CONFIRMED, now=now, acknowledgement_id="MS-7K2QXW")
    mail = mail_about(Notice.BOOKING_CONFIRMED, booking, now=now)
    (attached,) = mail.attachments
    assert (attached.filename, attached.mimetype) == ("appointment.ics", "text/calendar; method=REQUEST")
    event = event_in(mail)
    assert Calendar.from_ical(attached.content)["METHOD"] == "REQUEST"
    assert event["UID"] == "MS-7K2QXW@api.example.org"
    assert event["SEQUENCE"] == 5
    assert event.decoded("DTSTAMP") == now
    assert event.decoded("DTSTART") == datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    assert event.decoded("DTEND") == datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
    assert "DTSTART;TZID=Asia/Kolkata:20261124T173000" in attached.content
    assert event["SUMMARY"] == "Appointment MS-7K2QXW"
    assert event["LOCATION"] == "https://meet.example.org/meera"
    assert "token" not in attached.content
    assert "Meera Iyer" not in attached.content


def test_the_calendar_entry_of_a_session_in_person_is_at_its_address(now: datetime) -> None:
    mail = mail_of(Notice.BOOKING_CONFIRMED, now=now, **AT_THE_PRACTICE)
    assert event_in(mail)["LOCATION"] == "12 Baker Road, Pune"


def test_a_moved_session_replaces_its_calendar_entry(now: datetime) -> None:
    booking = make_booking(State.CONFIRMED, now=now)
    before = event_in(mail_about(Notice.BOOKING_CONFIRMED, booking, now=now))
    after = event_in(mail_about(Notice.BOOKING_MOVED, booking, now=now, uuid=UUID(int=7)))
    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]


def test_a_move_that_waits_for_payment_goes_into_no_calendar(now: datetime) -> None:
    assert mail_about(Notice.BOOKING_MOVED, make_booking(State.APPROVED, now=now), now=now).attachments == []
