"""Every mail: the same bytes when it leaves again, discreet, safe, and whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import Message as Mime
from email.policy import Compat32
from html.parser import HTMLParser
from typing import Any, ClassVar
from uuid import UUID

import pytest
from django.db import transaction
from django.template.loader import get_template
from django.test import override_settings
from pytest_django import Settings

from backend.bookings import links, policy
from backend.bookings.machine import State
from backend.bookings.models import Booking, Link, Mode, Purpose
from backend.bookings.notices import LINKS_CARRIED, OF_A_PERSON, Notice
from backend.core import formatting
from backend.core.errors import Permanent
from backend.notifications import delivery, rendering
from backend.outbox.models import Message
from tests.support import calendar_lint
from tests.support.factories import ASHA, make_booking
from tests.support.mails import (
    DESK,
    OF_NO_BOOKING,
    TO_PSYCHOLOGIST,
    TO_STAFF,
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
NAMES_A_TIME = (
    *(Notice.BOOKING_APPROVED, Notice.PAYMENT_STILL_DUE, Notice.PAYMENT_ATTEMPT_FAILED, Notice.BOOKING_CONFIRMED),
    *(Notice.LATE_PAYMENT_BOOKED, Notice.BOOKING_MOVED, Notice.SESSION_APPROACHING, Notice.SESSION_IMMINENT),
    *(Notice.PSYCHOLOGIST_SESSION_CONFIRMED, Notice.PSYCHOLOGIST_SESSION_MOVED),
)
TOKENS = {purpose: f"token-{purpose}" for purpose in Purpose} | {
    links.alternative_token_name(n): f"token-{n}" for n in (1, 2, 3)
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


# -- what the first attempt said, a retry says ------------------------------------------------------------------------


@EVERY_NOTICE
def test_the_first_attempt_and_a_retry_from_the_database_are_the_same_bytes(notice: Notice, now: datetime) -> None:
    message = enqueued(notice, true_booking(notice, now=now), now=now)
    message.context, message.frozen_at = delivery.prepare(message, now=now), now
    first = delivery.compose(message, TOKENS).message().as_bytes()
    message.may_have_left = True
    message.save(update_fields=["context", "frozen_at", "may_have_left"])
    again = Message.objects.get(pk=message.pk)
    assert delivery.prepare(again, now=now + timedelta(minutes=5)) == again.context
    assert delivery.compose(again, TOKENS).message().as_bytes() == first


@pytest.mark.parametrize(
    "value", ["", "a", "Asha <a@example.org>", "x" * 69, "x" * 90, "a  b", " a ", "a\tb", "a\n b", "=?utf-8?q?a?=", "ü"]
)
def test_a_header_is_the_bytes_that_python_makes_of_it(value: str) -> None:
    for name in ("Subject", "X-Correlation-ID"):
        assert rendering._POLICY.fold_binary(name, value) == Compat32().fold_binary(name, value)


def test_two_mails_share_neither_id_nor_boundary(now: datetime) -> None:
    booking = make_booking(State.CONFIRMED, now=now)
    one = frozen(enqueued(Notice.BOOKING_CONFIRMED, booking, now=now), now=now)
    other = frozen(
        enqueued(Notice.BOOKING_CONFIRMED, booking, now=now, uuid=UUID(int=7), dedupe_key="test:other"), now=now
    )
    mimes = [delivery.compose(message, TOKENS).message() for message in (one, other)]
    assert len({mime["Message-ID"] for mime in mimes}) == 2
    assert len({part.get_boundary() for mime in mimes for part in mime.walk() if part.is_multipart()}) == 4


def test_a_retry_keeps_the_words_of_the_first_attempt(now: datetime) -> None:
    booking = make_booking(State.PENDING, now=now)
    message = frozen(enqueued(Notice.BOOKING_RECEIVED, booking, now=now), now=now)
    Booking.objects.filter(pk=booking.pk).update(full_name="Somebody Else")
    assert delivery.prepare(message, now=now) == message.context


def test_a_mail_that_surely_has_not_left_says_what_is_so_by_now(now: datetime) -> None:
    booking = make_booking(State.PENDING, now=now)
    message = frozen(enqueued(Notice.BOOKING_RECEIVED, booking, now=now), now=now)
    message.may_have_left = False
    assert delivery.prepare(message, now=now) == message.context
    Booking.objects.filter(pk=booking.pk).update(full_name="Somebody Else", due_at=now + timedelta(days=9))
    facts = delivery.prepare(message, now=now)
    assert facts is not None
    assert (facts["first_name"], facts["answer_by"]) == ("Somebody", formatting.day_and_time(now + timedelta(days=9)))
    assert not delivery.is_owed_anew(message, now=now)


def test_time_alone_breaks_no_promise(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a cancellation gives back until tomorrow was right when it was said, and says until when."""
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", "full")
    booking = true_booking(
        Notice.BOOKING_CONFIRMED,
        now=now,
        slot_start=now + timedelta(days=2),
        slot_end=now + timedelta(days=2, hours=1),
    )
    assert booking is not None
    message = frozen(enqueued(Notice.BOOKING_CONFIRMED, booking, now=now), now=now)
    assert message.context is not None
    assert message.context["comes_back"]
    later = now + timedelta(hours=30)
    assert delivery.prepare(message, now=later) == message.context


@pytest.mark.parametrize("notice", NAMES_A_TIME)
def test_a_retry_that_would_name_an_old_time_is_not_sent(notice: Notice, now: datetime) -> None:
    booking = true_booking(notice, now=now)
    assert booking is not None
    message = frozen(enqueued(notice, booking, now=now), now=now)
    _move(booking, timedelta(hours=2))
    assert delivery.prepare(message, now=now) is None


@pytest.mark.parametrize("notice", [notice for notice in Notice if notice not in OF_NO_BOOKING])
def test_a_frozen_notice_is_judged_again(notice: Notice, now: datetime) -> None:
    message = frozen(enqueued(notice, true_booking(notice, now=now), now=now), now=now)
    Message.objects.filter(pk=message.pk).update(booking_id=4711)
    assert delivery.prepare(Message.objects.get(pk=message.pk), now=now) is None


@EVERY_NOTICE
def test_the_headers_derive_from_the_row(notice: Notice, now: datetime, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://api.example.org:8443"
    settings.DEFAULT_FROM_EMAIL = "MindSettler <bookings@example.org>"
    mime = mail_of(notice, now=now).message()
    assert mime["Date"] == "Mon, 23 Nov 2026 04:30:00 +0000"
    assert mime["Message-ID"] == f"<{UUID_OF_ROW}@api.example.org>"
    assert mime["Auto-Submitted"] == "auto-generated"
    assert mime["X-Correlation-ID"] == "5f0c6ad2b1"
    assert mime["From"] == "MindSettler <bookings@example.org>"
    assert mime["To"] == (ASHA if notice in TO_VISITOR else DESK if notice in TO_STAFF else "meera@example.org")


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


def _move(booking: Booking, span: timedelta) -> None:
    assert booking.slot_start is not None
    assert booking.slot_end is not None
    Booking.objects.filter(pk=booking.pk).update(slot_start=booking.slot_start + span, slot_end=booking.slot_end + span)
