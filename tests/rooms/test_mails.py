"""Mails of sessions that have rooms: they carry the room's page, each reader's own, and never a link that is shared."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest
from icalendar import Calendar

from backend.bookings.links import digest
from backend.bookings.machine import State
from backend.bookings.models import Booking, Link, Purpose
from backend.bookings.notices import Notice
from backend.outbox.models import Message
from tests.support import api, mails, scenarios
from tests.support.scenarios import token_of

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "jitsi_rooms")]
SHARED = "meet.example.org"
PAGE = re.compile(r"http://localhost:8000/go/room/\?token=([\w-]{20,})")
JOIN = (
    *(Notice.BOOKING_CONFIRMED, Notice.LATE_PAYMENT_BOOKED, Notice.BOOKING_MOVED, Notice.SESSION_APPROACHING),
    *(Notice.SESSION_IMMINENT, Notice.PSYCHOLOGIST_SESSION_CONFIRMED, Notice.PSYCHOLOGIST_SESSION_MOVED),
)


def purpose_of(token: str) -> str:
    return str(Link.objects.get(digest=digest(token)).purpose)


def bytes_of(mail: Any) -> str:
    return mail.body + mails.html_of(mail)


@pytest.mark.parametrize("notice", JOIN)
def test_a_mail_leads_to_the_rooms_page_as_its_reader(notice: Notice, now: datetime) -> None:
    booking = mails.booking_in(notice, State.CONFIRMED, now=now)
    text = bytes_of(mails.mail_about(notice, booking, now=now))
    (token,) = set(PAGE.findall(text))
    assert purpose_of(token) == (Purpose.ROOM if notice in mails.TO_PSYCHOLOGIST else Purpose.BOOKING)
    assert SHARED not in text


def test_the_calendar_entry_has_the_page_too(now: datetime) -> None:
    mail = mails.mail_of(Notice.BOOKING_CONFIRMED, now=now)
    (entry,) = [part for part in mail.attachments if part[0] == "appointment.ics"]
    (event,) = Calendar.from_ical(entry[1]).walk("VEVENT")
    assert PAGE.fullmatch(str(event["location"]))


def test_the_bookings_page_and_the_api_show_the_same_and_google_gets_none(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    token = token_of(booking)
    shown = api.post(api.VERIFY, {"token": token}).json()["booking"]
    assert PAGE.fullmatch(shown["meeting_link"]).group(1) == token
    assert token not in shown["add_to_calendar_url"]
    assert SHARED not in shown["add_to_calendar_url"]


def test_no_mail_keeps_a_token_in_its_words(now: datetime) -> None:
    booking: Booking = scenarios.confirmed(now=now)
    message = mails.frozen(Message.objects.get(booking_id=booking.pk, kind=Notice.BOOKING_CONFIRMED), now=now)
    assert "token=" not in str(message.context)
