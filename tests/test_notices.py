"""Every mail: true when it leaves, the same bytes when it leaves again, discreet, safe, and readable."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes
from email.message import Message as Mime
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import pytest
from django.template.loader import get_template
from icalendar import Calendar
from pytest_django import Settings

from backend.bookings import links, notices, policy
from backend.bookings.machine import ACTIVE, Notice, Reason, State
from backend.bookings.models import Booking, LedgerEntry, Mode, PaymentMode, Period, Purpose
from backend.errors import Permanent
from backend.outbox.models import Message, Queue
from backend.people.models import Corporate
from tests.factories import ASHA, make_booking, make_client, make_payment

pytestmark = pytest.mark.django_db

UUID_OF_ROW = UUID("2f6d1c1e-6f0e-4d6a-9a53-0c6f1f0e7b11")
TRUE_IN = {
    Notice.DRAFT_SUBMITTED: {State.DRAFT},
    Notice.DRAFT_STILL_UNVERIFIED: {State.DRAFT},
    Notice.DRAFT_LAPSED: set(),  # only of a draft that was never proved: see below
    Notice.ALREADY_BOOKED: set(ACTIVE),
    Notice.LINK_REQUESTED: set(State) - {State.DRAFT},
    Notice.NOTHING_OPEN: set(State),
    Notice.BOOKING_RECEIVED: {State.PENDING},
    Notice.BOOKING_APPROVED: {State.APPROVED, State.PAYMENT_PENDING},
    Notice.PAYMENT_STILL_DUE: {State.APPROVED},
    Notice.BOOKING_CONFIRMED: {State.CONFIRMED},
    Notice.SESSION_APPROACHING: {State.CONFIRMED},
    Notice.SESSION_IMMINENT: {State.CONFIRMED},
    Notice.STAFF_BOOKING_RECEIVED: {State.PENDING},
}
BEFORE_PROOF = (Notice.DRAFT_SUBMITTED, Notice.DRAFT_STILL_UNVERIFIED, Notice.DRAFT_LAPSED, Notice.NOTHING_OPEN)
AFTER_PROOF = tuple(notice for notice in Notice if notice not in BEFORE_PROOF)
OF_A_SESSION = (Notice.BOOKING_CONFIRMED, Notice.SESSION_APPROACHING, Notice.SESSION_IMMINENT)
OF_AN_APPROVAL = (Notice.BOOKING_APPROVED, Notice.PAYMENT_STILL_DUE)
EVERY_NOTICE = pytest.mark.parametrize("notice", Notice)


# -- how the tests make a mail ----------------------------------------------------------------------------------------


def owed(notice: Notice, booking: Booking | None, *, now: datetime, **overrides: Any) -> Message:
    """The outbox row, as the lifecycle writes it."""
    not_before, sequence = now, booking.ledger_sequence if booking else None
    if booking and booking.slot_start and notice == Notice.SESSION_APPROACHING:
        not_before = booking.slot_start - policy.REMIND_FIRST
    if booking and booking.slot_start and notice == Notice.SESSION_IMMINENT:
        not_before = booking.slot_start - policy.REMIND_LAST
    if booking and notice in OF_AN_APPROVAL:
        sequence = (
            LedgerEntry.objects.filter(booking=booking, intent="approve").values_list("sequence", flat=True).first()
        )
    given = {
        "uuid": UUID_OF_ROW,
        "queue": Queue.MAIL,
        "kind": notice,
        "dedupe_key": f"test:{notice}",
        "booking_id": booking.pk if booking else None,
        "ledger_sequence": sequence,
        "recipient": "desk@example.org" if notice == Notice.STAFF_BOOKING_RECEIVED else ASHA,
        "not_before": not_before,
        "next_attempt_at": not_before,
        "created_at": now,
        "correlation_id": "5f0c6ad2b1",
    }
    message = Message.objects.create(**(given | overrides))
    if booking and notice in links.CARRIED_BY:
        links.issue(booking, Purpose.BOOKING, message.uuid, now=now, expires_at=None)
    return message


def true_booking(notice: Notice, *, now: datetime, **overrides: Any) -> Booking | None:
    """A booking of which the notice is true; none for the one that speaks of none."""
    if notice == Notice.NOTHING_OPEN:
        return None
    if notice == Notice.DRAFT_LAPSED:
        return lapsed(now=now, **overrides)
    state = next(state for state in State if state in TRUE_IN[notice])
    booking = make_booking(State.APPROVED if notice == Notice.LINK_REQUESTED else state, now=now, **overrides)
    if notice in OF_A_SESSION and booking.payment_mode == PaymentMode.ONLINE:
        make_payment(booking, now=now)
    return booking


def lapsed(*, now: datetime, **overrides: Any) -> Booking:
    """A draft whose address was not proved in time."""
    never_proved = {"reason": Reason.EMAIL_NOT_VERIFIED, "verified_at": None}
    return make_booking(State.CANCELLED, now=now, **(never_proved | overrides))


def frozen(message: Message, *, now: datetime) -> Message:
    """The row after its first attempt, as the database keeps it."""
    context = notices.prepare(message, now=now)
    assert context is not None
    Message.objects.filter(pk=message.pk).update(context=context, frozen_at=now)
    return Message.objects.get(pk=message.pk)


def mail_of(notice: Notice, *, now: datetime, **overrides: Any) -> Any:
    """The composed mail about a booking of which it is true."""
    message = frozen(owed(notice, true_booking(notice, now=now, **overrides), now=now), now=now)
    return notices.compose(message, links.token_of(message.uuid))


def html_of(mail: Any) -> str:
    """The HTML body."""
    return str(mail.alternatives[0].content)


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


# -- true when it leaves ----------------------------------------------------------------------------------------------


@EVERY_NOTICE
@pytest.mark.parametrize("state", State)
def test_a_notice_is_sent_only_in_the_states_in_which_it_is_true(notice: Notice, state: State, now: datetime) -> None:
    booking = make_booking(state, now=now)
    about = None if notice == Notice.NOTHING_OPEN else booking
    context = notices.prepare(owed(notice, about, now=now), now=now)
    assert (context is not None) == (state in TRUE_IN[notice])


@EVERY_NOTICE
def test_a_notice_whose_booking_is_gone_is_not_sent(notice: Notice, now: datetime) -> None:
    context = notices.prepare(owed(notice, None, now=now, booking_id=4711), now=now)
    assert (context is not None) == (notice == Notice.NOTHING_OPEN)


@pytest.mark.parametrize("notice", [Notice.DRAFT_SUBMITTED, Notice.DRAFT_STILL_UNVERIFIED])
def test_a_draft_is_not_asked_to_confirm_once_its_time_is_over(notice: Notice, now: datetime) -> None:
    booking = make_booking(State.DRAFT, now=now, due_at=now)
    message = owed(notice, booking, now=now)
    assert notices.prepare(message, now=now - timedelta(seconds=1)) is not None
    assert notices.prepare(message, now=now) is None


def test_who_never_proved_the_address_is_told_that_the_draft_lapsed(now: datetime) -> None:
    assert notices.prepare(owed(Notice.DRAFT_LAPSED, lapsed(now=now), now=now), now=now) is not None


def test_a_lapsed_draft_is_told_even_after_its_data_was_purged(now: datetime) -> None:
    booking = lapsed(now=now)
    Booking.objects.filter(pk=booking.pk).update(email="", full_name="", client=None, purged_at=now)
    assert notices.prepare(owed(Notice.DRAFT_LAPSED, booking, now=now), now=now) is not None


def test_a_superseded_draft_closes_in_silence(now: datetime) -> None:
    booking = lapsed(now=now, reason=Reason.SUPERSEDED)
    assert notices.prepare(owed(Notice.DRAFT_LAPSED, booking, now=now), now=now) is None


@pytest.mark.parametrize("state", ACTIVE)
def test_who_got_through_by_another_draft_is_not_told_that_one_lapsed(state: State, now: datetime) -> None:
    message = owed(Notice.DRAFT_LAPSED, lapsed(now=now), now=now)
    make_booking(state, now=now)
    assert notices.prepare(message, now=now) is None


@pytest.mark.parametrize("reason", [Reason.EMAIL_NOT_VERIFIED, Reason.SUPERSEDED])
def test_a_booking_that_was_never_proved_gives_no_link(reason: Reason, now: datetime) -> None:
    assert notices.prepare(owed(Notice.LINK_REQUESTED, lapsed(now=now, reason=reason), now=now), now=now) is None


def test_the_link_of_a_closed_booking_is_sent_as_long_as_it_can_be_read(now: datetime) -> None:
    message = owed(Notice.LINK_REQUESTED, make_booking(State.REJECTED, now=now), now=now)
    ends_at = now + policy.LINK_KEPT_AFTER_CLOSE
    assert notices.prepare(message, now=ends_at - timedelta(seconds=1)) is not None
    assert notices.prepare(message, now=ends_at) is None


@pytest.mark.parametrize("notice", OF_AN_APPROVAL)
def test_a_notice_of_an_older_approval_is_overtaken(notice: Notice, now: datetime) -> None:
    booking = make_booking(State.APPROVED, now=now)
    message = owed(notice, booking, now=now)
    LedgerEntry.objects.create(
        booking=booking, sequence=9, at=now, intent="approve", target=State.APPROVED, actor="staff:desk"
    )
    assert notices.prepare(message, now=now) is None


def test_nobody_is_asked_again_for_money_once_its_time_is_over(now: datetime) -> None:
    booking = make_booking(State.APPROVED, now=now, pay_by=now + timedelta(hours=1))
    message = owed(Notice.PAYMENT_STILL_DUE, booking, now=now)
    assert notices.prepare(message, now=now + timedelta(minutes=59)) is not None
    assert notices.prepare(message, now=now + timedelta(hours=1)) is None


def test_a_confirmation_is_true_until_the_session_is_over(now: datetime) -> None:
    booking = make_booking(State.CONFIRMED, now=now)
    message = owed(Notice.BOOKING_CONFIRMED, booking, now=now)
    assert booking.slot_end is not None
    assert notices.prepare(message, now=booking.slot_end - timedelta(seconds=1)) is not None
    assert notices.prepare(message, now=booking.slot_end) is None


@pytest.mark.parametrize("notice", [Notice.SESSION_APPROACHING, Notice.SESSION_IMMINENT])
def test_a_session_that_has_begun_is_not_reminded(notice: Notice, now: datetime) -> None:
    booking = make_booking(State.CONFIRMED, now=now)
    message = owed(notice, booking, now=now)
    assert booking.slot_start is not None
    assert notices.prepare(message, now=booking.slot_start - timedelta(seconds=1)) is not None
    assert notices.prepare(message, now=booking.slot_start) is None


@pytest.mark.parametrize("notice", [Notice.SESSION_APPROACHING, Notice.SESSION_IMMINENT])
def test_a_moved_session_is_not_reminded_at_the_old_time(notice: Notice, now: datetime) -> None:
    booking = make_booking(State.CONFIRMED, now=now)
    message = owed(notice, booking, now=now)
    _move(booking, timedelta(hours=2))
    assert notices.prepare(message, now=now) is None


# -- what the first attempt said, a retry says ------------------------------------------------------------------------


@EVERY_NOTICE
def test_a_mail_comes_out_as_the_same_bytes_each_time(notice: Notice, now: datetime) -> None:
    message = frozen(owed(notice, true_booking(notice, now=now), now=now), now=now)
    token = links.token_of(message.uuid)
    first = notices.compose(message, token).message().as_bytes()
    second = notices.compose(Message.objects.get(pk=message.pk), token).message().as_bytes()
    assert first == second


@EVERY_NOTICE
def test_the_first_attempt_and_a_retry_from_the_database_are_the_same_bytes(notice: Notice, now: datetime) -> None:
    message = owed(notice, true_booking(notice, now=now), now=now)
    message.context, message.frozen_at = notices.prepare(message, now=now), now
    first = notices.compose(message, "token").message().as_bytes()
    Message.objects.filter(pk=message.pk).update(context=message.context, frozen_at=now)
    again = Message.objects.get(pk=message.pk)
    assert notices.prepare(again, now=now + timedelta(minutes=5)) == again.context
    assert notices.compose(again, "token").message().as_bytes() == first


def test_two_mails_share_neither_id_nor_boundary(now: datetime) -> None:
    booking = make_booking(State.CONFIRMED, now=now)
    one = frozen(owed(Notice.BOOKING_CONFIRMED, booking, now=now), now=now)
    other = frozen(owed(Notice.BOOKING_CONFIRMED, booking, now=now, uuid=UUID(int=7), dedupe_key="test:other"), now=now)
    mimes = [notices.compose(message, "token").message() for message in (one, other)]
    assert len({mime["Message-ID"] for mime in mimes}) == 2
    assert len({part.get_boundary() for mime in mimes for part in mime.walk() if part.is_multipart()}) == 4


def test_a_retry_keeps_the_words_of_the_first_attempt(now: datetime) -> None:
    booking = make_booking(State.PENDING, now=now)
    message = frozen(owed(Notice.BOOKING_RECEIVED, booking, now=now), now=now)
    Booking.objects.filter(pk=booking.pk).update(full_name="Somebody Else")
    assert notices.prepare(message, now=now) == message.context


@pytest.mark.parametrize("notice", [*OF_AN_APPROVAL, Notice.BOOKING_CONFIRMED])
def test_a_retry_that_would_name_an_old_time_is_not_sent(notice: Notice, now: datetime) -> None:
    booking = true_booking(notice, now=now)
    assert booking is not None
    message = frozen(owed(notice, booking, now=now), now=now)
    _move(booking, timedelta(hours=2))
    assert notices.prepare(message, now=now) is None


@pytest.mark.parametrize("notice", [notice for notice in Notice if notice != Notice.NOTHING_OPEN])
def test_a_frozen_notice_is_judged_again(notice: Notice, now: datetime) -> None:
    message = frozen(owed(notice, true_booking(notice, now=now), now=now), now=now)
    Message.objects.filter(pk=message.pk).update(booking_id=4711)
    assert notices.prepare(Message.objects.get(pk=message.pk), now=now) is None


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
    assert mime["To"] == ("desk@example.org" if notice == Notice.STAFF_BOOKING_RECEIVED else ASHA)


# -- what is in it, and what never is ---------------------------------------------------------------------------------


@EVERY_NOTICE
def test_every_notice_has_both_templates(notice: Notice) -> None:
    get_template(f"mail/{notice}.txt")
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
    mime = message_from_bytes(mail.message().as_bytes())
    types = [part.get_content_type() for part in parts_of(mime)]
    assert types[:2] == ["text/plain", "text/html"]
    assert types[2:] == (["text/calendar"] if notice == Notice.BOOKING_CONFIRMED else [])


@EVERY_NOTICE
@pytest.mark.parametrize("mode", Mode)
def test_a_subject_names_neither_therapy_nor_psychologist_nor_person(notice: Notice, mode: Mode, now: datetime) -> None:
    subject = mail_of(notice, now=now, mode=mode, full_name="Asha Rao").subject
    assert not re.search(r"therap|counsel|psych|mental|session|meera|iyer|asha|rao", subject, re.IGNORECASE)


@EVERY_NOTICE
def test_the_frozen_context_holds_no_token_and_no_line_of_the_visitors_message(notice: Notice, now: datetime) -> None:
    message = frozen(owed(notice, true_booking(notice, now=now), now=now), now=now)
    context = json.dumps(message.context)
    token = links.token_of(message.uuid)
    assert not token or token not in context
    assert "token" not in context
    assert "slept" not in context
    assert not re.search("9876543210|Vikram|Pune", context)


@pytest.mark.parametrize("notice", [notice for notice in Notice if notice in links.CARRIED_BY])
def test_a_booking_link_is_in_both_bodies(notice: Notice, now: datetime, settings: Settings) -> None:
    settings.FRONTEND_URL = "https://www.example.org"
    mail = mail_of(notice, now=now)
    address = f"https://www.example.org/verify-email?token={links.token_of(UUID_OF_ROW)}"
    assert address in mail.body.split()
    assert address in Addresses(html_of(mail)).leads_to


def test_a_mail_whose_link_is_gone_is_given_up(now: datetime) -> None:
    message = frozen(owed(Notice.DRAFT_SUBMITTED, make_booking(State.DRAFT, now=now), now=now), now=now)
    with pytest.raises(Permanent):
        notices.compose(message, "")


@EVERY_NOTICE
@pytest.mark.parametrize("mode", Mode)
def test_the_html_loads_nothing_and_leads_only_to_us_the_meeting_and_the_telephone(
    notice: Notice, mode: Mode, now: datetime, settings: Settings
) -> None:
    settings.FRONTEND_URL, settings.PUBLIC_URL = "https://www.example.org", "https://api.example.org"
    html = html_of(mail_of(notice, now=now, mode=mode, address="12 Baker Road"))
    found = Addresses(html)
    ours = ("https://www.example.org", "https://api.example.org/admin/", "https://meet.example.org/meera", "tel:")
    assert [address for address in found.leads_to if not address.startswith(ours)] == []
    assert not found.tags & {"img", "link", "script", "iframe", "form"}
    assert not re.search(r"url\(|@import", html)


@EVERY_NOTICE
def test_the_html_is_inlined_and_fits_a_telephone(notice: Notice, now: datetime) -> None:
    html = html_of(mail_of(notice, now=now))
    assert '<h1 style="' in html
    assert "max-width: 480px" in html
    assert 'name="viewport"' in html


@pytest.mark.parametrize("notice", [notice for notice in AFTER_PROOF if notice != Notice.STAFF_BOOKING_RECEIVED])
def test_what_a_visitor_typed_is_escaped_in_html_and_plain_in_text(notice: Notice, now: datetime) -> None:
    mail = mail_of(notice, now=now, full_name="<script>alert(1)&co Rao")
    assert "<script" not in html_of(mail)
    assert "Hello &lt;script&gt;alert(1)&amp;co," in html_of(mail)
    assert "Hello <script>alert(1)&co," in mail.body


@pytest.mark.parametrize("notice", BEFORE_PROOF)
def test_before_the_address_is_proved_nothing_typed_is_repeated_and_only_112_is_shown(
    notice: Notice, now: datetime
) -> None:
    mail = mail_of(notice, now=now)
    for text in (mail.body, html_of(mail)):
        assert "Hello," in text
        assert "We are not an emergency service; messages are read in practice hours." in text
        assert "14416" not in text
        assert not re.search(r"Asha|MS-", text)
    assert "In an emergency call 112." in mail.body
    assert 'href="tel:112"' in html_of(mail)


@pytest.mark.parametrize("notice", AFTER_PROOF)
def test_after_the_address_is_proved_every_help_line_is_shown(
    notice: Notice, now: datetime, settings: Settings
) -> None:
    settings.SUPPORT_LINES = ["Emergency=112", "Kiran=1800 599 0019"]
    mail = mail_of(notice, now=now)
    for text in (mail.body, html_of(mail)):
        assert "We are not an emergency service; messages are read in practice hours." in text
        assert "Emergency" in text
        assert "1800 599 0019" in text
    assert 'href="tel:18005990019"' in html_of(mail)


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
        ("", "Hello,"),
    ],
)
def test_a_visitor_is_greeted_by_first_name_and_never_by_a_link(full_name: str, greeting: str, now: datetime) -> None:
    assert greeting in mail_of(Notice.BOOKING_RECEIVED, now=now, full_name=full_name).body.splitlines()


# -- times ------------------------------------------------------------------------------------------------------------


@EVERY_NOTICE
def test_every_time_names_its_zone(notice: Notice, now: datetime) -> None:
    mail = mail_of(notice, now=now)
    for text in (mail.subject, mail.body, re.sub(r"<[^>]*>", "", html_of(mail))):
        assert re.findall(r"\b\d{1,2}:\d{2}\b(?! IST)", text) == []


def test_times_are_those_of_the_practices_zone(now: datetime, settings: Settings) -> None:
    settings.PRACTICE_TIME_ZONE = "Europe/Berlin"
    mail = mail_of(Notice.BOOKING_CONFIRMED, now=now)
    assert "Tuesday, 24 November 2026, 13:00 CET to 14:00 CET" in mail.body


def test_a_draft_hears_until_when_its_link_is_valid(now: datetime) -> None:
    mail = mail_of(Notice.DRAFT_SUBMITTED, now=now, due_at=now + timedelta(hours=48))
    assert "Wednesday, 25 November 2026, 10:00 IST" in mail.body
    assert "Wednesday, 25 November 2026, 10:00 IST" in html_of(mail)


@pytest.mark.parametrize("notice", OF_AN_APPROVAL)
def test_an_approved_visitor_hears_when_to_pay_and_nothing_of_the_grace(notice: Notice, now: datetime) -> None:
    mail = mail_of(notice, now=now, pay_by=now + timedelta(hours=2))
    for text in (mail.subject, mail.body, html_of(mail)):
        assert "Monday, 23 November 2026, 12:00 IST" in text
        assert "12:10" not in text


def test_a_request_repeats_the_hours_that_were_preferred(now: datetime) -> None:
    hours = {"preferred_time_start": time(10), "preferred_time_end": time(12, 30)}
    mail = mail_of(Notice.BOOKING_RECEIVED, now=now, preferred_period=Period.CUSTOM, **hours)
    assert "Thursday, 3 December 2026, between 10:00 and 12:30 IST" in mail.body
    assert "in the morning" not in mail.body


def test_a_proved_visitor_hears_until_when_we_answer(now: datetime) -> None:
    mail = mail_of(Notice.BOOKING_RECEIVED, now=now, due_at=now + timedelta(hours=96))
    for text in (mail.body, html_of(mail)):
        assert "Friday, 27 November 2026, 10:00 IST" in text


def test_a_closed_bookings_link_says_until_when_it_can_be_read(now: datetime) -> None:
    booking = make_booking(State.REJECTED, now=now)
    message = frozen(owed(Notice.LINK_REQUESTED, booking, now=now), now=now)
    assert "Wednesday, 23 December 2026, 10:00 IST" in notices.compose(message, "token").body


# -- place and money --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("notice", OF_A_SESSION)
def test_an_online_session_is_told_its_psychologist_and_meeting_link(notice: Notice, now: datetime) -> None:
    mail = mail_of(notice, now=now)
    for text in (mail.body, html_of(mail)):
        assert "Dr. Meera Iyer" in text
        assert "https://meet.example.org/meera" in text


@pytest.mark.parametrize("notice", [*OF_A_SESSION, Notice.BOOKING_APPROVED])
def test_a_session_in_person_is_told_its_address_on_one_line(notice: Notice, now: datetime) -> None:
    mail = mail_of(notice, now=now, mode=Mode.OFFLINE, meeting_link="", address="12 Baker Road,\r\nPune 411001")
    assert "12 Baker Road, Pune 411001" in mail.body
    assert "12 Baker Road, Pune 411001" in html_of(mail)


MONEY = [
    ({}, 150_000, "₹1500.00 received, thank you"),
    ({"mode": Mode.OFFLINE, "payment_mode": PaymentMode.OFFLINE}, None, "₹1500.00, due at the practice"),
    ({"mode": Mode.OFFLINE, "payment_mode": PaymentMode.OFFLINE, "amount_paise": 0}, None, "nothing to pay"),
    ({"amount_paise": 0}, None, "nothing to pay"),
]


@pytest.mark.parametrize(("fields", "captured_paise", "sentence"), MONEY)
def test_a_confirmation_tells_the_money_as_it_is(
    fields: dict[str, Any], captured_paise: int | None, sentence: str, now: datetime
) -> None:
    booking = make_booking(State.CONFIRMED, now=now, **fields)
    if captured_paise is not None:
        make_payment(booking, now=now, captured_paise=captured_paise)
    mail = notices.compose(frozen(owed(Notice.BOOKING_CONFIRMED, booking, now=now), now=now), "token")
    assert f"Payment: {sentence}" in mail.body
    assert sentence in html_of(mail).lower() or sentence in html_of(mail)
    assert ("payment received" in mail.body) == (captured_paise is None)  # the site's words, put right
    assert ("received, thank you" in mail.body) == (captured_paise is not None)


def test_a_sponsored_session_is_not_said_to_be_paid_by_the_visitor(now: datetime) -> None:
    acme = Corporate.objects.create(name="Acme Mills")
    booking = make_booking(State.CONFIRMED, now=now, corporate=acme)
    mail = notices.compose(frozen(owed(Notice.BOOKING_CONFIRMED, booking, now=now), now=now), "token")
    assert "Payment: nothing to pay; your session is sponsored" in mail.body
    assert "₹" not in mail.body
    assert "Acme" not in mail.body


def test_money_that_nobody_expected_is_not_called_the_payment(now: datetime) -> None:
    booking = make_booking(State.CONFIRMED, now=now)
    make_payment(booking, now=now, is_unexpected=True)
    mail = notices.compose(frozen(owed(Notice.BOOKING_CONFIRMED, booking, now=now), now=now), "token")
    assert "received" not in mail.body
    assert "nothing to pay" not in mail.body


@pytest.mark.parametrize("notice", OF_AN_APPROVAL)
def test_who_pays_online_is_given_the_amount_and_the_page(notice: Notice, now: datetime, settings: Settings) -> None:
    settings.PAYMENT_GATEWAY, settings.FRONTEND_URL = "sandbox", "https://www.example.org"
    mail = mail_of(notice, now=now, acknowledgement_id="MS-7K2QXW")
    assert "₹1500.00" in mail.body
    assert "https://www.example.org/payment?id=MS-7K2QXW" in mail.body.split()
    assert "https://www.example.org/payment?id=MS-7K2QXW" in Addresses(html_of(mail)).leads_to
    assert "by phone" not in mail.body


@pytest.mark.parametrize("notice", OF_AN_APPROVAL)
def test_who_would_rather_not_pay_online_reads_the_other_ways_and_the_page(
    notice: Notice, now: datetime, settings: Settings
) -> None:
    settings.PAYMENT_GATEWAY = "sandbox"
    mail = mail_of(notice, now=now, payment_mode=PaymentMode.OFFLINE)
    for text in (mail.body, html_of(mail)):
        assert "at the practice's desk or by phone with the practice" in " ".join(text.split())
        assert "/payment?id=MS-" in text


@pytest.mark.parametrize("notice", OF_AN_APPROVAL)
def test_no_page_is_named_where_online_payment_is_off(notice: Notice, now: datetime, settings: Settings) -> None:
    settings.PAYMENT_GATEWAY = ""
    mail = mail_of(notice, now=now)
    for text in (mail.body, html_of(mail)):
        assert "/payment" not in text
        assert "Please pay at the practice's desk or by phone with the practice." in text


# -- the calendar entry -----------------------------------------------------------------------------------------------


def test_the_calendar_entry_has_the_right_instants_and_says_little(now: datetime, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://api.example.org"
    booking = make_booking(State.CONFIRMED, now=now, acknowledgement_id="MS-7K2QXW")
    mail = notices.compose(frozen(owed(Notice.BOOKING_CONFIRMED, booking, now=now), now=now), "token")
    (attached,) = mail.attachments
    assert (attached.filename, attached.mimetype) == ("appointment.ics", "text/calendar")
    calendar = Calendar.from_ical(attached.content)
    (event,) = calendar.walk("VEVENT")
    assert calendar["METHOD"] == "PUBLISH"
    assert event["UID"] == "MS-7K2QXW@api.example.org"
    assert event["SEQUENCE"] == 5
    assert event.decoded("DTSTAMP") == now
    assert event.decoded("DTSTART") == datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    assert event.decoded("DTEND") == datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
    assert "DTSTART:20261124T120000Z" in attached.content
    assert event["SUMMARY"] == "Appointment MS-7K2QXW"
    assert event["LOCATION"] == "https://meet.example.org/meera"
    assert "token" not in attached.content
    assert "Meera Iyer" not in attached.content


def test_the_calendar_entry_of_a_session_in_person_is_at_its_address(now: datetime) -> None:
    mail = mail_of(
        Notice.BOOKING_CONFIRMED,
        now=now,
        mode=Mode.OFFLINE,
        payment_mode=PaymentMode.OFFLINE,
        address="12 Baker Road\nPune",
    )
    (event,) = Calendar.from_ical(mail.attachments[0].content).walk("VEVENT")
    assert event["LOCATION"] == "12 Baker Road, Pune"


# -- staff ------------------------------------------------------------------------------------------------------------


def test_staff_learn_what_presses_and_nothing_of_the_person(now: datetime, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://api.example.org"
    booking = make_booking(State.PENDING, now=now, age=16, preferred_date=now.date() + timedelta(days=2))
    mail = notices.compose(frozen(owed(Notice.STAFF_BOOKING_RECEIVED, booking, now=now), now=now), "")
    address = f"https://api.example.org/admin/bookings/booking/{booking.pk}/change/"
    assert mail.subject == f"New request {booking.acknowledgement_id} (urgent)"
    for text in (str(mail.body), html_of(mail)):
        assert address in text
        assert "Wednesday, 25 November 2026, in the morning" in text
        assert "Thursday, 26 November 2026, 10:00 IST" in text
        assert "nder 18; approval needs a guardian" in text
        assert not re.search(r"Asha|Rao|asha@|98765|slept|Pune", text)


def test_staff_are_not_alarmed_by_a_grown_up_with_time(now: datetime) -> None:
    mail = mail_of(Notice.STAFF_BOOKING_RECEIVED, now=now, age=18)
    for text in (str(mail.subject), mail.body, html_of(mail)):
        assert not re.search(r"urgent|minor|guardian", text, re.IGNORECASE)


def test_who_already_has_a_booking_hears_that_the_new_text_was_not_kept(now: datetime) -> None:
    make_client(now=now)
    mail = mail_of(Notice.ALREADY_BOOKED, now=now)
    for text in (mail.body, html_of(mail)):
        assert "the new one was not kept, nor anything that was written in it" in " ".join(text.split())


def _move(booking: Booking, span: timedelta) -> None:
    assert booking.slot_start is not None
    assert booking.slot_end is not None
    Booking.objects.filter(pk=booking.pk).update(slot_start=booking.slot_start + span, slot_end=booking.slot_end + span)
