"""Every mail: discreet, safe, and whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime
from email import message_from_bytes
from email.message import Message as Mime
from html.parser import HTMLParser
from typing import Any, ClassVar

import pytest
from django.db import connection, transaction
from django.template.loader import get_template
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from backend.bookings import links
from backend.bookings.models import Link, Mode, Purpose
from backend.bookings.notices import LINKS_CARRIED, OF_A_PERSON, Notice
from backend.core.errors import Permanent
from backend.notifications import delivery
from backend.notifications.rules import is_of_its_bookings_alone
from tests.support import calendar_lint
from tests.support.mails import (
    TO_PSYCHOLOGIST,
    TO_VISITOR,
    UUID_OF_ROW,
    enqueued,
    frozen,
    html_of,
    mail_of,
    true_booking,
)

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]

BEFORE_PROOF = (Notice.DRAFT_SUBMITTED, Notice.DRAFT_STILL_UNVERIFIED, Notice.DRAFT_LAPSED, Notice.NOTHING_OPEN)
AFTER_PROOF = tuple(notice for notice in Notice if notice not in BEFORE_PROOF)
BY_NAME = tuple(notice for notice in AFTER_PROOF if notice not in OF_A_PERSON)
CALENDAR_PARTS = {  # of a booking that is as `true_booking` has it
    **dict.fromkeys((Notice.BOOKING_CONFIRMED, Notice.LATE_PAYMENT_BOOKED, Notice.PAYMENT_VOIDED), 2),
    **dict.fromkeys((notice for notice in TO_PSYCHOLOGIST if notice != Notice.PSYCHOLOGIST_CHOICE_OFFERED), 2),
}
EVERY_NOTICE = pytest.mark.parametrize("notice", Notice)
LINES = ["Emergency=112", "Tele MANAS=14416", "Kiran=1800 599 0019"]


class Said:
    """A mail as most tests below read it: made once a notice and mode, for all of them."""

    _made: ClassVar[dict[tuple[Notice, Mode], Said]] = {}

    def __init__(self, mail: Any) -> None:
        self.tokens = links.tokens_of(UUID_OF_ROW)
        self.subject, self.body, self.html = str(mail.subject), str(mail.body), html_of(mail)
        self.texts = (self.subject, self.body, self.html)

    @classmethod
    def by(cls, notice: Notice, *, now: datetime, mode: Mode = Mode.ONLINE) -> Said:
        if (notice, mode) not in cls._made:
            ours = {"FRONTEND_URL": "https://www.example.org", "PUBLIC_URL": "https://api.example.org"}
            with override_settings(SUPPORT_LINES=LINES, **ours), transaction.atomic():
                mail = mail_of(notice, now=now, mode=mode, full_name="Asha Rao", address="12 Baker Road")
                cls._made[notice, mode] = cls(mail)
                transaction.set_rollback(True)
        return cls._made[notice, mode]


def parts_of(mime: Mime) -> list[Mime]:
    """The leaves of the MIME tree."""
    return [part for part in mime.walk() if not part.is_multipart()]


class Addresses(HTMLParser):
    """Collects what an HTML page would load or lead to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.leads_to: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Iterable[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.leads_to += [value or "" for name, value in attrs if name in ("href", "src", "background", "action")]


# -- what is in it, and what never is ---------------------------------------------------------------------------------


@EVERY_NOTICE
def test_every_notice_has_its_template(notice: Notice) -> None:
    get_template(f"mail/{notice}.html")


@EVERY_NOTICE
def test_every_notice_is_a_whole_mail(notice: Notice, now: datetime) -> None:
    mail = mail_of(notice, now=now)
    html = html_of(mail)
    assert mail.subject
    assert "\n" not in mail.subject
    assert "MindSettler" in mail.body
    assert f"<title>{mail.subject}</title>" in html
    assert '<html lang="en">' in html
    for text in (mail.subject, mail.body, html):
        assert not re.search(r"\{[{%]|[%}]\}|\bNone\b|False|&amp;amp;", text)
    mime = message_from_bytes(mail.message().as_bytes(linesep="\r\n"))
    types = [part.get_content_type() for part in parts_of(mime)]
    assert types[:2] == ["text/plain", "text/html"]
    assert types[2:] == ["text/calendar"] * CALENDAR_PARTS.get(notice, 0)
    assert calendar_lint.breaches(mime, reader=mail.to[0], sender="bookings@localhost") == []


@EVERY_NOTICE
@pytest.mark.parametrize("mode", Mode)
def test_a_subject_names_neither_therapy_nor_psychologist_nor_person(notice: Notice, mode: Mode, now: datetime) -> None:
    subject = Said.by(notice, now=now, mode=mode).subject
    assert not re.search(r"therap|counsel|psych|mental|session|meera|iyer|asha|rao", subject, re.IGNORECASE)


@EVERY_NOTICE
def test_the_frozen_context_holds_no_token_and_no_line_of_the_visitors_message(notice: Notice, now: datetime) -> None:
    message = frozen(enqueued(notice, true_booking(notice, now=now), now=now), now=now)
    context = json.dumps(message.context)
    assert not any(token in context for token in links.tokens_of(message.uuid).values())
    assert "token" not in context
    assert "slept" not in context
    assert not re.search("9876543210|Vikram|Pune|Marathi|leela", context)


@pytest.mark.parametrize("notice", [notice for notice in Notice if notice not in TO_VISITOR])
def test_the_practices_own_mails_name_no_visitor(notice: Notice, now: datetime) -> None:
    for text in Said.by(notice, now=now).texts:
        assert not re.search(r"Asha|Rao|asha@|98765|slept|Pune", text)


PLACES = {
    Purpose.BOOKING: "https://www.example.org/verify-email?token=",
    Purpose.CANCEL: "https://api.example.org/go/cancel/?token=",
    Purpose.CANCEL_LATE: "https://api.example.org/go/cancel/?token=",
    Purpose.RESCHEDULE: "https://api.example.org/go/reschedule/?token=",
    Purpose.ALTERNATIVE: "https://api.example.org/go/alternative/?token=",
    Purpose.DATA: "https://api.example.org/go/data/?token=",
    Purpose.ERASURE: "https://api.example.org/go/erasure/?token=",
    Purpose.PAY: "https://api.example.org/go/pay/?token=",
    Purpose.AGAIN: "https://api.example.org/go/again/?token=",
}
CARRIED = [(notice, purpose) for notice, purposes in LINKS_CARRIED.items() for purpose in purposes]


def names_of(purpose: Purpose) -> list[str]:
    """Of the tokens of this purpose that a mail of the tests carries."""
    return (
        [links.alternative_token_name(number) for number in (1, 2, 3)] if purpose == Purpose.ALTERNATIVE else [purpose]
    )


@pytest.mark.parametrize(("notice", "purpose"), CARRIED)
def test_every_link_is_in_both_bodies(notice: Notice, purpose: Purpose, now: datetime) -> None:
    mail = Said.by(notice, now=now)
    for name in names_of(purpose):
        address = PLACES[purpose] + mail.tokens[name]
        assert address in mail.body.split()
        assert address in Addresses(mail.html).leads_to


@pytest.mark.parametrize("notice", [one for one in Notice if one not in (*LINKS_CARRIED, Notice.STAFF_INVITED)])
def test_a_mail_without_links_of_its_own_shows_no_token(notice: Notice, now: datetime) -> None:
    mail = Said.by(notice, now=now)
    assert "token" not in mail.body + mail.html


@pytest.mark.parametrize(("notice", "purpose"), CARRIED)
def test_a_mail_whose_link_is_gone_is_given_up(notice: Notice, purpose: Purpose, now: datetime) -> None:
    message = frozen(enqueued(notice, true_booking(notice, now=now), now=now), now=now)
    Link.objects.filter(message_uuid=message.uuid, purpose=purpose).latest("pk").delete()
    with pytest.raises(Permanent):
        delivery.compose(message, links.tokens_of(message.uuid))


@EVERY_NOTICE
@pytest.mark.parametrize("mode", Mode)
def test_the_html_loads_nothing_and_leads_only_to_us_the_meeting_and_the_telephone(
    notice: Notice, mode: Mode, now: datetime
) -> None:
    html = Said.by(notice, now=now, mode=mode).html
    found = Addresses(html)
    ours = ("https://www.example.org", "https://api.example.org/", "https://meet.example.org/meera", "tel:")
    assert [address for address in found.leads_to if not address.startswith(ours)] == []
    assert not found.tags & {"img", "link", "script", "iframe", "form"}
    assert not re.search(r"url\(|@import", html)


@EVERY_NOTICE
def test_the_html_is_inlined_and_fits_a_telephone(notice: Notice, now: datetime) -> None:
    html = Said.by(notice, now=now).html
    assert '<h1 style="' in html
    assert "max-width: 480px" in html
    assert 'name="viewport"' in html


@pytest.mark.parametrize("notice", [notice for notice in BY_NAME if notice in TO_VISITOR])
def test_what_a_visitor_typed_is_escaped_in_html_and_plain_in_text(notice: Notice, now: datetime) -> None:
    mail = mail_of(notice, now=now, full_name="<script>alert(1)&co Rao")
    assert "<script" not in html_of(mail)
    assert "Hello &lt;script&gt;alert(1)&amp;co," in html_of(mail)
    assert "Hello <script>alert(1)&co," in mail.body


@pytest.mark.parametrize("notice", BEFORE_PROOF)
def test_before_the_address_is_proved_nothing_typed_is_repeated_and_only_112_is_shown(
    notice: Notice, now: datetime
) -> None:
    mail = Said.by(notice, now=now)
    for text in (mail.body, mail.html):
        assert "Hello," in text
        assert "We are not an emergency service; messages are read in practice hours." in text
        assert not re.search("14416|1800", text)
        assert not re.search(r"Asha|MS-", text)
    assert "In an emergency call 112." in mail.body
    assert 'href="tel:112"' in mail.html


@pytest.mark.parametrize("notice", AFTER_PROOF)
def test_after_the_address_is_proved_every_help_line_is_shown(notice: Notice, now: datetime) -> None:
    mail = Said.by(notice, now=now)
    for text in (mail.body, mail.html):
        assert "We are not an emergency service; messages are read in practice hours." in text
        assert "Emergency" in text
        assert "1800 599 0019" in text
    assert 'href="tel:18005990019"' in mail.html


@pytest.mark.parametrize(
    ("full_name", "greeting"),
    [
        ("Asha Rao", "Hello Asha,"),
        ("आशा राव", "Hello आशा,"),
        ("Dr. Asha Rao", "Hello Dr. Asha Rao,"),
        ("R Krishnan", "Hello R Krishnan,"),
        ("  Asha\n Rao", "Hello Asha,"),
        ("win.example.com/prize now", "Hello,"),
        ("https://example.com", "Hello,"),
        ("evil．example", "Hello,"),
        ("evil。example", "Hello,"),
        ("evil｡example", "Hello,"),
        ("evil․example", "Hello,"),
        ("https：／／evil", "Hello,"),
        ("", "Hello,"),
    ],
)
def test_a_visitor_is_greeted_by_first_name_and_never_by_a_link(full_name: str, greeting: str, now: datetime) -> None:
    assert greeting in mail_of(Notice.BOOKING_RECEIVED, now=now, full_name=full_name).body.splitlines()


# -- times ------------------------------------------------------------------------------------------------------------


@EVERY_NOTICE
def test_every_time_names_its_zone(notice: Notice, now: datetime) -> None:
    mail = Said.by(notice, now=now)
    for text in (mail.subject, mail.body, re.sub(r"<[^>]*>", "", mail.html)):
        assert re.findall(r"\b\d{1,2}:\d{2}\b(?! IST)", text) == []


def test_times_are_those_of_the_practices_zone(now: datetime, settings: Settings) -> None:
    settings.PRACTICE_TIME_ZONE = "Europe/Berlin"
    mail = mail_of(Notice.BOOKING_CONFIRMED, now=now)
    assert "Tuesday, 24 November 2026, 13:00 CET to 14:00 CET" in mail.body


@pytest.mark.parametrize("notice", [*filter(is_of_its_bookings_alone, Notice)])
def test_what_is_of_its_words_alone_is_made_without_a_question(notice: Notice, now: datetime) -> None:
    """A worker makes such a mail while its connection is in use."""
    message = frozen(enqueued(notice, true_booking(notice, now=now), now=now), now=now)
    tokens, said = links.tokens_of(message.uuid), dict(message.context or {})
    with CaptureQueriesContext(connection) as asked:
        delivery.compose(message, tokens)
    if delivery.is_of_its_words_alone(message):
        assert asked.captured_queries == []
    else:
        assert "sessions" in said
    message.context = {**said, "is_receipt_attached": True}
    assert not delivery.is_of_its_words_alone(message)
