"""Deadlines: just before, at, and just after; late, doubled and out of turn."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection

from backend.bookings import queries
from backend.bookings.lifecycle import timers
from backend.bookings.machine import Reason, State
from backend.bookings.models import Booking, LedgerEntry, SlotClaim
from backend.bookings.notices import Notice
from backend.bookings.retention import RULES, Kind
from backend.channels import consents
from backend.channels.models import Consent, Purpose
from backend.channels.names import ChannelName
from backend.core.personal_data import personal_columns
from backend.people.models import Client
from tests.support import scenarios
from tests.support.scenarios import ASHA
from tests.support.texts import PHONE

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]

Case = tuple[Callable[..., Booking], Callable[..., None], State, str]
CASES: dict[str, Case] = {
    "draft": (scenarios.submitted, timers.lapse_draft, State.CANCELLED, Reason.EMAIL_NOT_VERIFIED),
    "request": (scenarios.pending, timers.close_unanswered, State.CANCELLED, Reason.UNANSWERED),
    "approval": (scenarios.approved, timers.time_out_approval, State.CANCELLED, Reason.PAYMENT_TIMED_OUT),
    "session": (scenarios.confirmed, timers.complete_session, State.COMPLETED, ""),
}


@pytest.mark.parametrize("name", list(CASES))
@pytest.mark.parametrize("early", [1, 0, -1, -86400])
def test_a_deadline_ends_its_state_from_its_instant_on(name: str, early: int, now: datetime) -> None:
    make, expire, target, reason = CASES[name]
    booking = make(now=now)
    assert booking.due_at is not None
    at = booking.due_at - timedelta(seconds=early)
    selected = list(queries.due(State(booking.state), now=at))
    expire(booking.pk, now=at)
    after = scenarios.again(booking)
    if early > 0:
        assert selected == []
        assert after.state == booking.state
    else:
        assert selected == [booking]
        assert (after.state, after.reason, after.due_at) == (target, reason, None)
        assert not SlotClaim.objects.filter(booking=booking).exists()


@pytest.mark.parametrize("name", list(CASES))
def test_a_doubled_sweep_writes_one_ledger_row(name: str, now: datetime) -> None:
    make, expire, target, _ = CASES[name]
    booking = make(now=now)
    for _ in range(2):
        expire(booking.pk, now=booking.due_at)
    assert LedgerEntry.objects.filter(booking=booking, target=target).count() == 1


@pytest.mark.parametrize("name", list(CASES))
@pytest.mark.parametrize("other", list(CASES))
def test_a_sweep_that_comes_for_another_state_does_nothing(name: str, other: str, now: datetime) -> None:
    if name == other:
        return
    booking = CASES[name][0](now=now)
    CASES[other][1](booking.pk, now=now + timedelta(days=400))
    assert scenarios.again(booking).state == booking.state


def test_a_lapsed_draft_is_told_once(now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    timers.lapse_draft(booking.pk, now=booking.due_at)
    assert scenarios.notices_about(booking)[-1] == Notice.DRAFT_LAPSED


def test_who_was_never_written_to_is_not_told_that_the_draft_lapsed(now: datetime) -> None:
    for index in range(4):
        booking = scenarios.submitted(now=now, user_message=str(index))
    timers.lapse_draft(booking.pk, now=booking.due_at)
    assert scenarios.notices_about(booking) == [Notice.DRAFT_SUBMITTED]  # the suppressed one


def test_a_lapsed_draft_loses_its_personal_data_and_its_client(now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    timers.lapse_draft(booking.pk, now=booking.due_at)
    early = booking.due_at + RULES[Kind.DRAFTS].kept - timedelta(seconds=1)
    assert not queries.drafts_to_purge(now=early)
    timers.purge_draft(booking.pk, now=early)
    assert scenarios.again(booking).email == ASHA
    at = booking.due_at + RULES[Kind.DRAFTS].kept
    assert list(queries.drafts_to_purge(now=at)) == [booking]
    timers.purge_draft(booking.pk, now=at)
    purged = scenarios.again(booking)
    assert {getattr(purged, name) for name in personal_columns(Booking)} == {"", None}
    assert (purged.age, purged.client_id, purged.purged_at) == (None, None, at)
    assert not Client.objects.exists()
    assert not Client.history.exists()
    assert not queries.drafts_to_purge(now=at)


def test_a_lapsed_draft_loses_its_client_who_had_told_us_how_to_be_reminded(now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    told = {"phone_number": PHONE, "by": "staff:desk", "notice_version": "1"}
    consents.choose(booking.client_id or 0, Purpose.REMINDERS, ChannelName.SMS, now=now, **told)
    timers.lapse_draft(booking.pk, now=booking.due_at)
    timers.purge_draft(booking.pk, now=booking.due_at + RULES[Kind.DRAFTS].kept)
    connection.check_constraints()
    assert not Consent.objects.exists()
    assert not Client.objects.exists()


def test_purging_keeps_a_client_who_has_another_booking(now: datetime) -> None:
    stale = scenarios.submitted(now=now, user_message="stale")
    scenarios.pending(now=now)
    timers.purge_draft(stale.pk, now=now + RULES[Kind.DRAFTS].kept)
    assert scenarios.again(stale).client_id is None
    assert Client.objects.filter(email=ASHA).exists()


def test_a_proved_booking_is_never_purged(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    timers.close_unanswered(booking.pk, now=booking.due_at)
    far = now + timedelta(days=400)
    assert not queries.drafts_to_purge(now=far)
    timers.purge_draft(booking.pk, now=far)
    assert scenarios.again(booking).email == ASHA
