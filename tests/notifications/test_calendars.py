"""Calendars stay right: what a mail puts there is replaced by the next and taken away by the last, for both readers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from icalendar import Calendar
from pytest_django import Settings

from backend.bookings import links
from backend.bookings.lifecycle import calendar_choice, desk_money, rescheduling, void_payment
from backend.bookings.lifecycle.rescheduling import Move
from backend.bookings.machine import State
from backend.bookings.models import Origin
from backend.bookings.notices import Notice
from backend.notifications import delivery
from backend.outbox.models import Message
from backend.payments.models import VoidReason
from tests.support import calendar_lint, mails, scenarios
from tests.support.calendar_readers import READERS, Agenda, Told, files_of, mime_of
from tests.support.factories import make_booking

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
MEERA = "meera@example.org"
RAO = "rao@example.org"
Reader = Callable[[bytes], Told]


def agendas(*, now: datetime, read: Reader = READERS[0]) -> dict[str, Agenda]:
    """Each mailbox's calendar, after all that is true and due by `now` was mailed in its order."""
    found: dict[str, Agenda] = {}
    for message in Message.objects.filter(queue="mail", not_before__lte=now).exclude(recipient="").order_by("pk"):
        if message.context is None and (context := delivery.prepare(message, now=now)):
            message.context, message.frozen_at = context, now
            message.save(update_fields=["context", "frozen_at"])
        if message.context is not None:
            mail = delivery.compose(message, links.tokens_of(message.uuid))
            assert calendar_lint.breaches(mime_of(mail), reader=message.recipient, sender="bookings@localhost") == []
            for content in files_of(mail):
                found.setdefault(message.recipient, Agenda()).take(read(content))
    return found


def starts(agenda: Agenda) -> list[datetime]:
    return sorted(one.start for one in agenda.entries.values())


@pytest.mark.parametrize("read", READERS)
def test_a_move_replaces_the_entry_and_a_cancellation_takes_it_away(read: Reader, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    was = agendas(now=now, read=read)
    rescheduling.reschedule(booking.pk, Move(scenarios.slot_tomorrow(now, 14)), actor="staff:desk", now=now)
    moved = agendas(now=now, read=read)
    for mailbox in (booking.email, MEERA):
        assert starts(was[mailbox]) == [booking.slot_start]
        assert starts(moved[mailbox]) == [scenarios.slot_tomorrow(now, 14)]
        assert [one.zone for one in moved[mailbox].entries.values()] == ["Asia/Kolkata"]
    scenarios.call_off(booking, now)
    assert {mailbox: one.entries for mailbox, one in agendas(now=now, read=read).items()} == {
        booking.email: {},
        MEERA: {},
    }


def test_a_session_that_goes_to_a_colleague_leaves_the_first_calendar(now: datetime) -> None:
    booking, rao = scenarios.confirmed(now=now), scenarios.psychologist("Dr. Rao", email=RAO)
    agendas(now=now)
    move = Move(scenarios.slot_tomorrow(now, 14), psychologist_id=rao.pk)
    rescheduling.reschedule(booking.pk, move, actor="staff:desk", now=now)
    found = agendas(now=now)
    assert (starts(found[MEERA]), starts(found[RAO])) == ([], [scenarios.slot_tomorrow(now, 14)])


def test_a_mailbox_of_two_colleagues_keeps_what_the_second_has(now: datetime) -> None:
    booking, rao = scenarios.confirmed(now=now), scenarios.psychologist("Dr. Rao", email=MEERA)
    agendas(now=now)
    move = Move(scenarios.slot_tomorrow(now, 14), psychologist_id=rao.pk)
    rescheduling.reschedule(booking.pk, move, actor="staff:desk", now=now)
    assert starts(agendas(now=now)[MEERA]) == [scenarios.slot_tomorrow(now, 14)]


def test_a_payment_noted_by_mistake_takes_the_entry_away_until_it_is_confirmed_anew(now: datetime) -> None:
    booking = scenarios.approved(now=now)
    desk_money.record_desk_payment(booking.pk, actor="staff:desk", now=now)
    assert len(agendas(now=now)[MEERA].entries) == 1
    void_payment.void_desk_payment(booking.pk, VoidReason.WRONG_BOOKING, actor="staff:desk", now=now)
    assert [one.entries for one in agendas(now=now).values()] == [{}, {}]
    desk_money.record_desk_payment(booking.pk, actor="staff:desk", now=now)
    assert [starts(one) for one in agendas(now=now).values()] == [[booking.slot_start]] * 2


def test_who_wants_nothing_in_a_calendar_gets_nothing(now: datetime) -> None:
    booking = scenarios.confirmed(now=now, calendar_entry=False)
    scenarios.call_off(booking, now)
    assert set(agendas(now=now)) <= {MEERA}


def test_the_choice_holds_for_all_that_a_person_has_going(now: datetime) -> None:
    booking = scenarios.approved(now=now)
    other = make_booking(State.CONFIRMED, now=now, client=booking.client, origin=Origin.STAFF)
    for wants in (False, True):
        calendar_choice.choose_calendar(scenarios.token_of(booking), wants_entry=wants, now=now)
        assert {scenarios.again(one).calendar_entry for one in (booking, other)} == {wants}


def test_what_is_not_confirmed_is_no_entry(now: datetime) -> None:
    mail = mails.mail_about(Notice.BOOKING_MOVED, make_booking(State.APPROVED, now=now), now=now)
    assert files_of(mail) == []


def test_an_alternative_is_for_calendars_and_a_file_for_people(now: datetime, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://api.example.org"
    booking = make_booking(State.CONFIRMED, now=now, acknowledgement_id="MS-7K2QXW")
    mail = mails.mail_about(Notice.BOOKING_CONFIRMED, booking, now=now + timedelta(milliseconds=5))
    plain, html, part, file = [one for one in mime_of(mail).walk() if not one.is_multipart()]
    assert part["Content-Type"] == 'text/calendar; method="REQUEST"; charset="utf-8"'
    assert (file.get_filename(), plain.get_content_type(), html.get_content_type()) == (
        "appointment.ics",
        "text/plain",
        "text/html",
    )
    (event,) = Calendar.from_ical(calendar_lint.bytes_of(file)).walk("VEVENT")
    assert (event["UID"], event["SUMMARY"]) == ("MS-7K2QXW@api.example.org", "Appointment MS-7K2QXW")
    (alarm,) = event.walk("VALARM")
    assert alarm.decoded("TRIGGER") == timedelta(minutes=-30)
