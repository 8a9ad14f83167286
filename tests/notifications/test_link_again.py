"""“Send me my link” after a lost mail: it brings what the booking's present state owes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from backend.bookings import links
from backend.bookings.lifecycle import rescheduling, visitor
from backend.bookings.models import Booking, Purpose
from backend.bookings.notices import Notice
from backend.notifications import delivery
from backend.outbox.models import Message
from tests.support import scenarios
from tests.support.mails import html_of

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only, pytest.mark.usefixtures("sandbox_payments")]
CANCEL, MOVE = "/go/cancel/?token=", "/go/reschedule/?token="


def asked(booking: Booking, now: datetime) -> Message:
    visitor.request_link(booking.email, now=now)
    return Message.objects.get(kind=Notice.LINK_REQUESTED)


def bodies(message: Message, now: datetime) -> tuple[str, str]:
    """What would leave now."""
    message.context, message.frozen_at = delivery.prepare(message, now=now), now
    mail = delivery.compose(message, links.tokens_of(message.uuid))
    return mail.body, html_of(mail)


def test_of_a_confirmed_session_it_brings_when_where_what_was_paid_and_the_ways_out(now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=scenarios.slot_tomorrow(now) + timedelta(days=3))
    for text in bodies(asked(booking, now), now):
        for fact in ("https://meet.example.org/meera", "Dr. Meera Iyer", "Friday, 27 November 2026, 17:30 IST"):
            assert fact in text
        assert "received, thank you" in text
        assert CANCEL in text
        assert MOVE in text


def test_inside_the_notice_the_late_link_still_cancels_and_none_moves(now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=now + timedelta(hours=20))
    message = asked(booking, now)
    body, html = bodies(message, now)
    assert CANCEL in body
    assert MOVE not in body + html
    token = links.token_of(message.uuid, Purpose.CANCEL_LATE)
    assert links.find(token, Purpose.CANCEL_LATE).expires_at == booking.slot_start


def test_of_an_approved_session_it_brings_the_way_to_pay_and_until_when(now: datetime) -> None:
    booking = scenarios.approved(now=now, at=scenarios.slot_tomorrow(now) + timedelta(days=3))
    for text in bodies(asked(booking, now), now):
        assert f"/payment?id={booking.acknowledgement_id}" in text
        assert "Tuesday, 24 November 2026, 10:00 IST" in text  # pay by
        assert "https://meet.example.org/meera" not in text
        assert MOVE in text
        assert CANCEL in text


def test_of_a_request_it_says_what_was_asked_for_and_by_when_we_answer(now: datetime) -> None:
    body, html = bodies(asked(scenarios.pending(now=now), now), now)
    for text in (body, html):
        assert "Thursday, 26 November 2026, in the morning" in text
        assert "We answer by" in text
        assert not re.search("/go/(?!data/)", text)


def test_of_a_closed_booking_it_is_the_link_alone(now: datetime) -> None:
    assert not re.search("/go/(?!data/)", "".join(bodies(asked(scenarios.rejected(now=now), now), now)))


def test_a_session_that_began_is_not_cancelled_any_more(now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=now + timedelta(hours=2))
    began = now + timedelta(hours=2, minutes=5)
    text = "".join(bodies(asked(booking, began), began))
    assert "https://meet.example.org/meera" in text
    assert not re.search("/go/(?!data/)", text)


def test_a_link_that_the_move_ended_is_not_mailed(now: datetime) -> None:
    booking = scenarios.confirmed(now=now, at=scenarios.slot_tomorrow(now) + timedelta(days=3))
    message = asked(booking, now)
    later = scenarios.slot_tomorrow(now) + timedelta(days=4)
    rescheduling.reschedule(booking.pk, rescheduling.Move(later), actor="staff:desk", now=now)
    assert delivery.prepare(message, now=now) is None
