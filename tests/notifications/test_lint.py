"""What every mail to a visitor says, in every language: of which booking, what happened, what next, until when.

A notice that cannot, or need not, is named here with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction
from pytest_django import Settings

from backend.bookings.notices import OF_A_PERSON, Notice
from backend.core import languages
from tests.support.mails import TO_PSYCHOLOGIST, TO_VISITOR, html_of, mail_of

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]

ID = re.compile(r"MS-[0-9A-Z]{6}")
CLOCK = re.compile(r"\b\d\d:\d\d\b")
ZONED = re.compile(r"\b\d\d:\d\d (?:IST|E[SD]T|बजे \(भारतीय समय\)|बजे \(E[SD]T\))")
OF_NO_BOOKING = (Notice.NOTHING_OPEN, *OF_A_PERSON)
NAMES_NONE = {
    Notice.DRAFT_SUBMITTED: "whoever reads it has not proved to be the one who asked: the id comes with the proof",
    Notice.DRAFT_STILL_UNVERIFIED: "the same",
    Notice.DRAFT_LAPSED: "the same, and what it named is being deleted",
    Notice.NOTHING_OPEN: "there is no booking",
    **dict.fromkeys(OF_A_PERSON, "it is about a person's data, and so about all of their bookings"),
}
# without a link to go on by: the sentence that says what next
SAYS_NEXT = {
    Notice.ANSWER_LATE: "There is nothing you need to do.",
    Notice.REFUND_QUEUED: "We will write again when our payment service tells us that it has sent it.",
    Notice.REFUND_MADE: "Should it not reach you, please tell us, and name this reference:",
    Notice.ERASURE_DONE: "This is the last mail that we can write to you.",
}
ENDS_NEVER = {
    Notice.ALREADY_BOOKED: "its link is the booking's, for as long as that is open",
    Notice.NOTHING_OPEN: "nothing is open",
    Notice.CANCELLATION_LAPSED: "what was to end is over; the booking stands",
    Notice.BOOKING_CANCELLED: "nothing is open; a session that was called off is named with its hour",
    Notice.SERIES_CANCELLED: "the same",
    Notice.REFUND_QUEUED: "the banks decide",
    Notice.REFUND_MADE: "it is done",
}
_LEAST = 10  # letters of a heading or a sentence that says something


@dataclass(frozen=True)
class Reader:
    """Who reads it: their language, and their clock where it is another than the practice's."""

    language: str
    zone: str = ""


READERS = [*map(Reader, languages.codes()), Reader("en", "America/New_York")]


def mail(notice: Notice, reader: Reader, now: datetime, settings: Settings) -> Any:
    """To somebody who chose the language; where it speaks of no booking, from a practice whose language it is."""
    settings.PAYMENT_GATEWAY = "sandbox"
    if notice in OF_NO_BOOKING:
        settings.PRACTICE_LANGUAGE = reader.language
        return mail_of(notice, now=now)
    return mail_of(notice, now=now, language=reader.language, time_zone=reader.zone)


def faults(notice: Notice, subject: str, text: str, html: str) -> Iterator[str]:
    """What a mail does not say, or says without a reason to be left alone."""
    content = html.partition('<td class="content"')[2].partition('<td class="support"')[0].partition(">")[2]
    heading, _, rest = content.partition("</h1>")
    told = [words(part) for part in re.findall(r"<(?:p|td)\b[^>]*>(.*?)</(?:p|td)>", rest, re.DOTALL)]
    if {bool(ID.search(words(content))), bool(ID.search(text))} != {notice not in NAMES_NONE}:
        yield "its booking"
    if len(subject) < _LEAST or len(words(heading)) < _LEAST or not any(len(one) >= _LEAST for one in told[1:]):
        yield "what happened"
    if bool(re.search(r'<a [^>]*href="https?://', content)) != (notice not in SAYS_NEXT):
        yield "what next"
    if bool(CLOCK.search(text)) != (notice not in ENDS_NEVER):
        yield "until when"
    if any(len(CLOCK.findall(said)) != len(ZONED.findall(said)) for said in (subject, words(content), text)):
        yield "the zone of an hour"


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


@pytest.mark.parametrize("notice", TO_VISITOR)
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: f"{reader.language}{reader.zone and '-abroad'}")
def test_a_mail_says_of_which_booking_what_happened_what_next_and_until_when(
    notice: Notice, reader: Reader, now: datetime, settings: Settings
) -> None:
    found = mail(notice, reader, now, settings)
    assert list(faults(notice, str(found.subject), found.body, html_of(found))) == []
    if notice in SAYS_NEXT and reader.language == "en":
        assert SAYS_NEXT[notice] in words(html_of(found))


@pytest.mark.parametrize(
    ("was", "is_now", "fault"),
    [
        (r"MS-[0-9A-Z]{6}", "your booking", "its booking"),
        (r"(?s)<p\b.*?</p>|<td style.*?</td>", "", "what happened"),
        (r"https?://", "about:", "what next"),
        (r"\d\d:\d\d IST", "soon", "until when"),
        (r" IST", "", "the zone of an hour"),
    ],
)
def test_what_a_mail_leaves_out_is_found(was: str, is_now: str, fault: str, now: datetime, settings: Settings) -> None:
    found = mail(Notice.BOOKING_APPROVED, READERS[0], now, settings)
    texts = (re.sub(was, is_now, text) for text in (str(found.subject), found.body, html_of(found)))
    assert fault in list(faults(Notice.BOOKING_APPROVED, *texts))


@pytest.mark.parametrize("reader", READERS[:-1], ids=lambda reader: reader.language)
def test_no_two_subjects_are_alike_and_a_psychologists_is_known_at_a_glance(
    reader: Reader, now: datetime, settings: Settings
) -> None:
    """Who is both, and reads on a locked screen, must not take one for the other. Of a series they say the same."""
    subjects, theirs = (
        [subject(notice, reader, now, settings) for notice in notices if "series" not in notice]
        for notices in (TO_VISITOR, TO_PSYCHOLOGIST)
    )
    alike = [ID.sub("MS-…", one) for one in (*subjects, *theirs)]
    assert sorted(alike) == sorted({*alike})
    assert all(one.startswith("In your calendar: ") for one in theirs)
    assert not any(one.startswith("In your calendar: ") for one in subjects)


def subject(notice: Notice, reader: Reader, now: datetime, settings: Settings) -> str:
    """Of a mail about rows that are gone again."""
    with transaction.atomic():
        said = str(mail(notice, reader, now, settings).subject)
        transaction.set_rollback(True)
    return said
