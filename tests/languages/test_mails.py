"""Mails in the language and beside the clock of who reads them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from django.utils import translation
from icalendar import Calendar
from pytest_django import Settings

from backend.bookings.models import Booking
from backend.bookings.notices import OF_A_PERSON, Notice
from backend.notifications import delivery
from backend.outbox.models import Message
from tests.support import latin
from tests.support.mails import TO_VISITOR, enqueued, frozen, html_of, mail_about, mail_of, true_booking

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]

NAMES = ("MindSettler", "Dr. Meera Iyer", "Dr. Rohan Mehta", "Asha")
OF_A_BOOKING = [notice for notice in TO_VISITOR if notice not in (*OF_A_PERSON, Notice.NOTHING_OPEN)]


def in_hindi(notice: Notice, now: datetime, settings: Settings) -> Any:
    """The notice to somebody who chose it; where it speaks of no booking, from a practice whose language it is."""
    settings.PAYMENT_GATEWAY = "sandbox"
    if notice in OF_A_BOOKING:
        return mail_of(notice, now=now, language="hi")
    settings.PRACTICE_LANGUAGE = "hi"
    return mail_of(notice, now=now)


@pytest.mark.parametrize("notice", TO_VISITOR)
def test_no_english_is_left_in_a_mail_in_hindi(notice: Notice, now: datetime, settings: Settings) -> None:
    mail = in_hindi(notice, now, settings)
    html = html_of(mail)
    for said in (str(mail.subject), mail.body, latin.of_html(html)):
        assert latin.words(said, *NAMES) == []
    assert '<html lang="hi">' in html
    assert not re.search("सत्र|परामर्श|मनो|चिकित्स", str(mail.subject))  # a subject says no more of it in Hindi


def test_the_entry_of_a_calendar_is_in_hindi_too(now: datetime) -> None:
    parts = mail_of(Notice.BOOKING_CONFIRMED, now=now, language="hi").message().walk()
    entries = [part.get_payload(decode=True) for part in parts if part.get_content_type() == "text/calendar"]
    assert len(entries) == 2  # the alternative and the file
    for entry in entries:
        event = Calendar.from_ical(entry).walk("VEVENT")[0]
        said = [event["SUMMARY"], event.walk("VALARM")[0]["DESCRIPTION"]]
        assert re.fullmatch(r"अपॉइंटमेंट MS-\w+", event["SUMMARY"])
        assert latin.words(" ".join(said)) == []


def test_a_time_in_hindi_names_its_day_and_zone(now: datetime) -> None:
    mail = mail_of(Notice.BOOKING_CONFIRMED, now=now, language="hi")
    assert "मंगलवार, 24 नवंबर 2026, 17:30 बजे (भारतीय समय) से 18:30 बजे (भारतीय समय) तक" in mail.body
    assert mail.subject.endswith("मंगलवार, 24 नवंबर 2026, 17:30 बजे (भारतीय समय)")


@pytest.mark.parametrize("language", ["", "ta"])
def test_who_chose_nothing_or_what_is_offered_no_more_reads_the_practices_language(
    language: str, now: datetime, settings: Settings
) -> None:
    settings.PRACTICE_LANGUAGE = "hi"
    assert "नमस्ते Asha," in mail_of(Notice.BOOKING_RECEIVED, now=now, language=language).body


def test_a_retry_speaks_as_the_first_attempt_did(now: datetime) -> None:
    booking = true_booking(Notice.BOOKING_RECEIVED, now=now, language="hi")
    message = frozen(enqueued(Notice.BOOKING_RECEIVED, booking, now=now), now=now)
    tokens = {"booking": "t"}
    first = delivery.compose(message, tokens).message().as_bytes()
    Booking.objects.update(language="en")
    again = Message.objects.get()
    with translation.override("en"):
        assert delivery.prepare(again, now=now) == message.context
        assert delivery.compose(again, tokens).message().as_bytes() == first


def test_staff_and_psychologists_read_english_of_whoever_it_is(now: datetime, settings: Settings) -> None:
    settings.PRACTICE_LANGUAGE = "hi"
    mail = mail_of(Notice.PSYCHOLOGIST_SESSION_CONFIRMED, now=now, language="hi")
    assert '<html lang="en">' in html_of(mail)
    assert not re.search("[\u0900-\u097f]", mail.subject + mail.body)


def test_links_lead_to_pages_in_the_mails_language(now: datetime) -> None:
    hindi = re.findall(r"https?://\S+\?token=\S+", mail_of(Notice.BOOKING_CONFIRMED, now=now, language="hi").body)
    assert hindi
    assert all(address.endswith("&language=hi") for address in hindi)


def test_who_lives_by_another_clock_reads_both(now: datetime) -> None:
    booking = true_booking(Notice.BOOKING_CONFIRMED, now=now, time_zone="America/New_York")
    mail = mail_about(Notice.BOOKING_CONFIRMED, booking, now=now)
    assert "Tuesday, 24 November 2026, 17:30 IST (where you are: 07:00 EST)" in mail.body
    again = {"uuid": UUID(int=7), "dedupe_key": "theirs"}
    told = mail_about(Notice.PSYCHOLOGIST_SESSION_CONFIRMED, booking, now=now, **again)
    assert "where you are" not in told.body


def test_who_lives_by_the_practices_clock_reads_it_once(now: datetime) -> None:
    mail = mail_of(Notice.BOOKING_CONFIRMED, now=now, time_zone="Asia/Colombo")
    assert "where you are" not in mail.body
