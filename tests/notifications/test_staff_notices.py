"""What staff, managers and psychologists read: what presses and where to act, and nothing of the person."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from backend.bookings import links
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import RefundGranted, UnexpectedlyCaptured
from backend.bookings.lifecycle import cancellation
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.machine import State
from backend.bookings.models import Booking, Mode, Origin
from backend.bookings.notices import Notice
from backend.core.errors import Permanent
from backend.notifications import delivery
from backend.outbox.models import Message
from backend.payments.models import PaymentMethod
from backend.people.models import Enquiry
from tests.support import scenarios
from tests.support.factories import make_booking, make_enquiry, make_payment, make_refund, write_row
from tests.support.mails import OF_NO_BOOKING, TO_VISITOR, enqueued, frozen, html_of, mail_about, mail_of

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]

OF_A_REQUEST = (Notice.STAFF_BOOKING_RECEIVED, Notice.STAFF_BOOKING_WAITING, Notice.MANAGER_BOOKING_OVERDUE)
OF_A_BOOKING = tuple(notice for notice in Notice if notice not in (*TO_VISITOR, *OF_NO_BOOKING))


@pytest.fixture(autouse=True)
def _sandbox(settings) -> None:
    settings.PAYMENT_GATEWAY, settings.PUBLIC_URL = "sandbox", "https://api.example.org"


def said(mail: Any) -> list[str]:
    """Both bodies on one line each, to look for sentences in."""
    return [" ".join(mail.body.split()), " ".join(html_of(mail).split())]


@pytest.mark.parametrize("notice", OF_A_BOOKING)
def test_every_one_names_the_booking_and_leads_to_it(notice: Notice, now: datetime) -> None:
    mail = mail_of(notice, now=now, acknowledgement_id="MS-7K2QXW")
    booking = Booking.objects.get()
    address = f"https://api.example.org/admin/bookings/booking/{booking.pk}/change/"
    assert "MS-7K2QXW" in mail.subject
    assert address in mail.body.split()
    assert f'href="{address}"' in html_of(mail)


# -- requests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("notice", OF_A_REQUEST)
def test_staff_learn_what_presses_and_nothing_of_the_person(notice: Notice, now: datetime) -> None:
    booking = make_booking(State.PENDING, now=now, age=16, preferred_date=now.date() + timedelta(days=2))
    mail = mail_about(notice, booking, now=now)
    assert ("(urgent)" in mail.subject) == (notice != Notice.MANAGER_BOOKING_OVERDUE)
    for text in said(mail):
        assert "Wednesday, 25 November 2026, in the morning" in text
        assert "Thursday, 26 November 2026, 10:00 IST" in text
        assert "nder 18; approval needs a guardian" in text
        assert not re.search(r"Asha|Rao|asha@|98765|slept|Pune", text)


@pytest.mark.parametrize("notice", OF_A_REQUEST)
def test_staff_are_not_alarmed_by_a_grown_up_with_time(notice: Notice, now: datetime) -> None:
    mail = mail_of(notice, now=now, age=18)
    for text in (str(mail.subject), *said(mail)):
        assert not re.search(r"urgent|minor|guardian|top of the list", text, re.IGNORECASE)


def test_staff_hear_that_a_visitor_was_left_unanswered_before(now: datetime) -> None:
    for text in said(mail_of(Notice.STAFF_BOOKING_RECEIVED, now=now, is_priority=True)):
        assert "e left this visitor unanswered before" in text


def test_a_request_entered_by_staff_is_not_said_to_have_a_proved_address(now: datetime) -> None:
    for text in said(mail_of(Notice.STAFF_BOOKING_RECEIVED, now=now, origin=Origin.STAFF)):
        assert "Entered by staff for a caller" in text
        assert "proved" not in text


def test_managers_hear_what_happens_if_nobody_answers(now: datetime) -> None:
    for text in said(mail_of(Notice.MANAGER_BOOKING_OVERDUE, now=now)):
        assert "If nobody answers, the request closes at that time, with an apology" in text


# -- cancellations and money ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "looks_twice"), [(State.PENDING, True), (State.CONFIRMED, False)])
def test_staff_hear_of_a_wish_to_cancel_that_is_not_proved(state: State, looks_twice: bool, now: datetime) -> None:
    mail = mail_about(Notice.STAFF_CANCELLATION_REQUESTED, make_booking(state, now=now), now=now)
    for text in said(mail):
        assert "Monday, 23 November 2026, 11:00 IST" in text
        assert ("Please look twice before you approve it." in text) == looks_twice
        assert ("Tuesday, 24 November 2026, 17:30 IST" in text) == (not looks_twice)


def test_staff_hear_which_refund_to_hand_out(now: datetime) -> None:
    booking = make_booking(State.CONFIRMED, now=now)
    payment = make_payment(booking, now=now, method=PaymentMethod.DESK)
    refund = make_refund(payment, now=now)
    entry = write_row(booking, Intent.GRANT_REFUND, RefundGranted(refund.pk, refund.amount_paise), now=now)
    mail = mail_about(Notice.STAFF_REFUND_DUE, booking, now=now, ledger_sequence=entry.sequence)
    assert mail.subject == f"Refund to hand out: {booking.acknowledgement_id}, ₹1,500.00"
    for text in said(mail):
        assert "so the refund must be handed out there." in text


def test_staff_hear_which_refund_the_gateway_refused(now: datetime) -> None:
    mail = mail_of(Notice.STAFF_REFUND_DUE, now=now)
    assert mail.subject.startswith("Refund to settle by hand: MS-")
    for text in said(mail):
        assert "The payment service refused this refund" in text


def test_staff_hear_what_came_in_and_what_was_expected(now: datetime) -> None:
    booking = make_booking(State.PAYMENT_PENDING, now=now)
    payment = make_payment(booking, now=now, captured_paise=140_000, is_unexpected=True)
    entry = write_row(
        booking, Intent.RECORD_UNEXPECTED_CAPTURE, UnexpectedlyCaptured(payment.pk, payment.captured_paise), now=now
    )
    mail = mail_about(Notice.STAFF_UNEXPECTED_MONEY, booking, now=now, ledger_sequence=entry.sequence)
    for text in said(mail):
        assert "₹1,400.00" in text
        assert "₹1,500.00" in text
        assert payment.reference in text
        assert "payment pending" in text


# -- enquiries --------------------------------------------------------------------------------------------------------


def test_an_enquiry_is_read_from_its_row_and_escaped(now: datetime) -> None:
    enquiry = make_enquiry(now=now, subject="Offer & terms", text="Hello <b>there</b>,\n\nare you open?\nLeela")
    message = frozen(enqueued(Notice.STAFF_ENQUIRY_RECEIVED, None, now=now, subject_id=enquiry.pk), now=now)
    assert message.context == {"enquiry_id": enquiry.pk}
    mail = delivery.compose(message, {})
    assert mail.subject == "New enquiry from the site"
    assert "About: Offer & terms" in mail.body
    assert "Hello <b>there</b>,\n\nare you open?\nLeela" in mail.body
    assert "Offer &amp; terms" in html_of(mail)
    assert "Hello &lt;b&gt;there&lt;/b&gt;,</p>" in html_of(mail)
    assert "are you open?<br>Leela" in html_of(mail)
    assert f'href="https://api.example.org/admin/people/enquiry/{enquiry.pk}/change/"' in html_of(mail)


def test_an_enquiry_deleted_between_the_two_looks_is_given_up(now: datetime) -> None:
    message = frozen(enqueued(Notice.STAFF_ENQUIRY_RECEIVED, None, now=now), now=now)
    Enquiry.objects.all().delete()
    with pytest.raises(Permanent):
        delivery.compose(message, {})


# -- psychologists ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("notice", [Notice.PSYCHOLOGIST_SESSION_CONFIRMED, Notice.PSYCHOLOGIST_SESSION_MOVED])
@pytest.mark.parametrize(("mode", "place"), [(Mode.ONLINE, "https://meet.example.org/meera"), (Mode.OFFLINE, "Pune")])
def test_a_psychologist_reads_when_and_where(notice: Notice, mode: Mode, place: str, now: datetime) -> None:
    for text in said(mail_of(notice, now=now, mode=mode, address="12 Baker Road, Pune")):
        assert "Tuesday, 24 November 2026, 17:30 IST to 18:30 IST" in text
        assert "Dr. Meera Iyer" in text
        assert place in text


def mail_to(address: str, booking: Booking, notice: Notice, *, now: datetime) -> Any:
    """The mail that the lifecycle owes this psychologist."""
    message = Message.objects.get(booking_id=booking.pk, kind=notice, recipient=address)
    return delivery.compose(frozen(message, now=now), links.tokens_of(message.uuid))


def test_a_psychologist_reads_that_a_session_was_called_off(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    cancellation.cancel_by_staff(
        booking.pk, note_to_visitor="", refund=RefundChoice.FULL, refund_reason="", actor="desk", now=now
    )
    mail = mail_to("meera@example.org", booking, Notice.PSYCHOLOGIST_SESSION_CANCELLED, now=now)
    assert mail.subject.endswith("is called off: Tuesday, 24 November 2026, 17:30 IST")
    for text in said(mail):
        assert "This session does not take place" in text


def test_the_colleague_before_reads_the_time_before(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    assert booking.slot_start is not None
    ravi = scenarios.psychologist("Dr. Ravi Nair", email="nair@example.org")
    move = Move(booking.slot_start + timedelta(hours=2), psychologist_id=ravi.pk)
    reschedule(booking.pk, move, actor="staff:desk", now=now)
    mail = mail_to("meera@example.org", booking, Notice.PSYCHOLOGIST_SESSION_CANCELLED, now=now)
    assert mail.subject.endswith("goes to a colleague: Tuesday, 24 November 2026, 17:30 IST")
    for text in said(mail):
        assert "Dr. Meera Iyer" in text
        assert "Ravi" not in text
    other = mail_to("nair@example.org", booking, Notice.PSYCHOLOGIST_SESSION_CONFIRMED, now=now)
    assert "Tuesday, 24 November 2026, 19:30 IST to 20:30 IST" in other.body
    assert "Dr. Ravi Nair" in other.body
