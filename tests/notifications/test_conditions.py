"""Every mail is true when it leaves: in which states, and until when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from backend.bookings import policy
from backend.bookings.machine import ACTIVE, Reason, State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.notifications import delivery
from backend.people.models import Enquiry
from tests.support.factories import make_booking
from tests.support.mails import OF_NO_BOOKING, TRUE_IN, booking_in, enqueued

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]

STAFF, GATEWAY = "staff:desk", "gateway:sandbox"
EVERY_NOTICE = pytest.mark.parametrize("notice", Notice)


# -- true when it leaves ----------------------------------------------------------------------------------------------


@EVERY_NOTICE
def test_a_notice_is_sent_only_in_the_states_in_which_it_is_true(notice: Notice, now: datetime) -> None:
    assert {state for state in State if _is_sent_in(state, notice, now)} == TRUE_IN[notice]


def _is_sent_in(state: State, notice: Notice, now: datetime) -> bool:
    """Undone afterwards: one test for all states costs half of one for each."""
    with transaction.atomic():
        booking = booking_in(notice, state, now=now)
        about = None if notice in OF_NO_BOOKING else booking
        context = delivery.prepare(enqueued(notice, about, now=now), now=now)
        transaction.set_rollback(True)
    return context is not None


@EVERY_NOTICE
def test_a_notice_whose_booking_is_gone_is_not_sent(notice: Notice, now: datetime) -> None:
    context = delivery.prepare(enqueued(notice, None, now=now, booking_id=4711), now=now)
    assert (context is not None) == (notice in OF_NO_BOOKING)


@pytest.mark.parametrize("notice", [Notice.DRAFT_SUBMITTED, Notice.DRAFT_STILL_UNVERIFIED])
def test_a_draft_is_not_asked_to_confirm_once_its_time_is_over(notice: Notice, now: datetime) -> None:
    booking = make_booking(State.DRAFT, now=now, due_at=now)
    message = enqueued(notice, booking, now=now)
    assert delivery.prepare(message, now=now - timedelta(seconds=1)) is not None
    assert delivery.prepare(message, now=now) is None


def test_who_never_proved_the_address_is_told_that_the_draft_lapsed(now: datetime) -> None:
    assert delivery.prepare(enqueued(Notice.DRAFT_LAPSED, _lapsed(now=now), now=now), now=now) is not None


def test_a_lapsed_draft_is_told_even_after_its_data_was_purged(now: datetime) -> None:
    booking = _lapsed(now=now)
    Booking.objects.filter(pk=booking.pk).update(email="", full_name="", client=None, purged_at=now)
    assert delivery.prepare(enqueued(Notice.DRAFT_LAPSED, booking, now=now), now=now) is not None


def test_a_superseded_draft_closes_in_silence(now: datetime) -> None:
    booking = _lapsed(now=now, reason=Reason.SUPERSEDED)
    assert delivery.prepare(enqueued(Notice.DRAFT_LAPSED, booking, now=now), now=now) is None


@pytest.mark.parametrize("state", ACTIVE)
def test_who_got_through_by_another_draft_is_not_told_that_one_lapsed(state: State, now: datetime) -> None:
    message = enqueued(Notice.DRAFT_LAPSED, _lapsed(now=now), now=now)
    make_booking(state, now=now)
    assert delivery.prepare(message, now=now) is None


@pytest.mark.parametrize("reason", [Reason.EMAIL_NOT_VERIFIED, Reason.SUPERSEDED])
def test_a_booking_that_was_never_proved_gives_no_link(reason: Reason, now: datetime) -> None:
    assert delivery.prepare(enqueued(Notice.LINK_REQUESTED, _lapsed(now=now, reason=reason), now=now), now=now) is None


def test_the_link_of_a_closed_booking_is_sent_as_long_as_it_can_be_read(now: datetime) -> None:
    message = enqueued(Notice.LINK_REQUESTED, make_booking(State.REJECTED, now=now), now=now)
    ends_at = now + policy.LINK_KEPT_AFTER_CLOSE
    assert delivery.prepare(message, now=ends_at - timedelta(seconds=1)) is not None
    assert delivery.prepare(message, now=ends_at) is None


def test_nobody_is_asked_again_for_money_once_its_time_is_over(now: datetime) -> None:
    booking = make_booking(State.APPROVED, now=now, pay_by=now + timedelta(hours=1))
    message = enqueued(Notice.PAYMENT_STILL_DUE, booking, now=now)
    assert delivery.prepare(message, now=now + timedelta(minutes=59)) is not None
    assert delivery.prepare(message, now=now + timedelta(hours=1)) is None


def test_a_confirmation_is_true_until_the_session_is_over(now: datetime) -> None:
    booking = make_booking(State.CONFIRMED, now=now)
    message = enqueued(Notice.BOOKING_CONFIRMED, booking, now=now)
    assert booking.slot_end is not None
    assert delivery.prepare(message, now=booking.slot_end - timedelta(seconds=1)) is not None
    assert delivery.prepare(message, now=booking.slot_end) is None


@pytest.mark.parametrize("notice", [Notice.SESSION_APPROACHING, Notice.SESSION_IMMINENT])
def test_a_session_that_has_begun_is_not_reminded(notice: Notice, now: datetime) -> None:
    booking = make_booking(State.CONFIRMED, now=now)
    message = enqueued(notice, booking, now=now)
    assert booking.slot_start is not None
    assert delivery.prepare(message, now=booking.slot_start - timedelta(seconds=1)) is not None
    assert delivery.prepare(message, now=booking.slot_start) is None


def test_an_enquiry_that_was_deleted_is_not_sent(now: datetime) -> None:
    message = enqueued(Notice.STAFF_ENQUIRY_RECEIVED, None, now=now)
    assert delivery.prepare(message, now=now) == {"enquiry_id": message.subject_id}
    Enquiry.objects.all().delete()
    assert delivery.prepare(message, now=now) is None


def _lapsed(*, now: datetime, **overrides: Any) -> Booking:
    """A draft whose address was not proved in time."""
    never_proved = {"reason": Reason.EMAIL_NOT_VERIFIED, "verified_at": None}
    return make_booking(State.CANCELLED, now=now, **(never_proved | overrides))
