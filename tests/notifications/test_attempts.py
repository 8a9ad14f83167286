"""A mail's first attempt and those after it: the same bytes, or what is so by now where it surely has not left."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.policy import Compat32
from uuid import UUID

import pytest
from pytest_django import Settings

from backend.bookings import links, policy
from backend.bookings.machine import State
from backend.bookings.models import Booking, Purpose
from backend.bookings.notices import Notice
from backend.core import formatting
from backend.notifications import delivery, rendering
from backend.outbox.models import Message
from tests.support.factories import ASHA, make_booking
from tests.support.mails import (
    DESK,
    OF_NO_BOOKING,
    TO_STAFF,
    TO_VISITOR,
    UUID_OF_ROW,
    enqueued,
    frozen,
    mail_of,
    true_booking,
)

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]
NAMES_A_TIME = (
    *(Notice.BOOKING_APPROVED, Notice.PAYMENT_STILL_DUE, Notice.PAYMENT_ATTEMPT_FAILED, Notice.BOOKING_CONFIRMED),
    *(Notice.LATE_PAYMENT_BOOKED, Notice.BOOKING_MOVED, Notice.SESSION_APPROACHING, Notice.SESSION_IMMINENT),
    *(Notice.PSYCHOLOGIST_SESSION_CONFIRMED, Notice.PSYCHOLOGIST_SESSION_MOVED),
)
TOKENS = {purpose: f"token-{purpose}" for purpose in Purpose} | {
    links.alternative_token_name(n): f"token-{n}" for n in (1, 2, 3)
}
EVERY_NOTICE = pytest.mark.parametrize("notice", Notice)


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


def _move(booking: Booking, span: timedelta) -> None:
    assert booking.slot_start is not None
    assert booking.slot_end is not None
    Booking.objects.filter(pk=booking.pk).update(slot_start=booking.slot_start + span, slot_end=booking.slot_end + span)
