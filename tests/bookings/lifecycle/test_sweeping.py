"""Bookings that are due, in batches: as their intent would have it, in few statements, and past whoever is held."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.bookings import policy
from backend.bookings.lifecycle import cancellation, saving, timers
from backend.bookings.lifecycle.sweeping import BatchFailed, TimedIntent
from backend.bookings.models import Booking, LedgerEntry, Link, SlotClaim
from backend.bookings.retention import RULES, Kind
from backend.core import batched_writes
from backend.outbox.models import Message
from backend.people.models import Client
from tests.support import scenarios
from tests.support.asked import statements
from tests.support.broken_steps import fail_for

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]


def asked_to_cancel(email: str, *, now: datetime) -> Booking:
    booking = scenarios.confirmed(email, now=now, at=now + timedelta(days=3))
    return cancellation.request_cancellation(booking.acknowledgement_id, now=now)


def lapsed(email: str, *, now: datetime) -> Booking:
    booking = scenarios.submitted(email, now=now)
    timers.lapse_draft(booking.pk, now=now + policy.DRAFT_LIFETIME)
    return booking


# how to make what is due within a week, its intent, and the statements of a batch; a purge has one for each client, too
CASES: dict[str, tuple[Callable[..., Booking], TimedIntent, int]] = {
    "draft": (scenarios.submitted, timers.lapse_draft, 7),
    "request": (scenarios.pending, timers.close_unanswered, 8),
    "approval": (scenarios.approved, timers.time_out_approval, 9),
    "session": (scenarios.confirmed, timers.complete_session, 7),
    "wish to cancel": (asked_to_cancel, cancellation.lapse_cancellation, 6),
    "purge": (lapsed, timers.purge_draft, 12),
}


def written_about(booking: Booking) -> list[Any]:
    """Every row of it, without what numbers one of the like."""
    row = Booking.objects.filter(pk=booking.pk).values().get()
    by_booking = {"booking_id": booking.pk}
    told = Message.objects.filter(**by_booking).order_by("pk")
    return [
        {name: value for name, value in row.items() if name not in NUMBERED},
        list(LedgerEntry.objects.filter(**by_booking).values_list("sequence", "at", "intent", "source", "target")),
        list(LedgerEntry.objects.filter(**by_booking).values_list("reason", "actor", "correlation_id")),
        [(one.kind, one.state, one.not_before, one.ledger_sequence, one.created_at) for one in told],
        [re.sub(r":\d+:", ":", one.dedupe_key, count=1) for one in told],
        list(Link.objects.filter(**by_booking).order_by("pk").values_list("purpose", "expires_at", "spent_at")),
        SlotClaim.objects.filter(**by_booking).count(),
        Client.objects.filter(email=booking.email).count(),
    ]


NUMBERED = {"id", "acknowledgement_id", "client_id", "psychologist_id", "email", "user_message", "emergency_contact"}


@pytest.mark.parametrize("name", list(CASES))
def test_a_batch_does_to_each_what_the_intent_does_to_one(name: str, now: datetime) -> None:
    make, intent, _ = CASES[name]
    alone, *others = (make(f"v{number}@example.org", now=now) for number in range(3))
    later = now + timedelta(days=7)
    assert intent(alone.pk, now=later)
    assert intent.batch(now=later) == {booking.pk: True for booking in others}
    assert [written_about(booking) for booking in others] == [written_about(alone)] * 2
    assert intent.batch(now=later) == {}
    assert not intent(alone.pk, now=later)


@pytest.mark.parametrize("name", list(CASES))
def test_a_batch_takes_the_same_statements_however_many_are_in_it(
    name: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, intent, count = CASES[name]
    for number in range(3):
        make(f"v{number}@example.org", now=now)
    for size in (1, 2):
        monkeypatch.setattr(policy, "SWEEP_BATCH", size)
        with CaptureQueriesContext(connection) as captured:
            assert len(intent.batch(now=now + timedelta(days=7))) == size
        asked = [sql for sql in statements(captured) if not sql.startswith(("SAVEPOINT", "RELEASE"))]
        extra = size if name == "purge" else 0  # what the history keeps of each deletion
        assert len(asked) == count + extra, asked


def test_a_batch_takes_who_is_longest_due_and_fewer_where_there_is_one_writer(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "SWEEP_BATCH", 2)
    made = [scenarios.submitted(f"v{n}@example.org", now=now - timedelta(hours=n)) for n in range(3)]
    later = now + timedelta(days=3)
    assert list(timers.lapse_draft.batch(now=later)) == [made[1].pk, made[2].pk]
    monkeypatch.setattr(policy, "SWEEP_BATCH_OF_ONE_WRITER", 0)
    assert len(timers.lapse_draft.batch(now=later)) == (connection.vendor == "postgresql")


def test_of_a_batch_with_one_that_fails_nothing_stays(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [scenarios.submitted(f"v{n}@example.org", now=now) for n in range(3)]
    fail_for(monkeypatch, timers.lapse_draft, made[1])
    later, before = now + policy.DRAFT_LIFETIME, [written_about(booking) for booking in made]
    with pytest.raises(BatchFailed) as failed:
        timers.lapse_draft.batch(now=later)
    assert failed.value.booking_ids == [booking.pk for booking in made]
    assert isinstance(failed.value.__cause__, RuntimeError)
    assert [written_about(booking) for booking in made] == before
    besides = timers.lapse_draft.batch(now=later, besides=[made[1].pk])
    assert besides == {made[0].pk: True, made[2].pk: True}


def test_a_choice_that_is_open_is_not_due(now: datetime) -> None:
    booking = scenarios.approved(now=now)
    Booking.objects.filter(pk=booking.pk).update(choose_by=now + timedelta(days=9))
    assert timers.time_out_approval.batch(now=now + timedelta(days=7)) == {}
    assert not timers.time_out_approval(booking.pk, now=now + timedelta(days=7))


def test_a_client_goes_with_the_last_of_their_drafts(now: datetime) -> None:
    stays, *_ = scenarios.submitted(now=now, user_message="stale"), scenarios.pending(now=now)
    for text in ("one", "another"):
        scenarios.submitted("ravi@example.org", now=now, user_message=text)
    scenarios.submitted("ravi@example.org", now=now + timedelta(days=2), user_message="last")
    while timers.lapse_draft.batch(now=now + policy.DRAFT_LIFETIME):
        pass
    at = now + policy.DRAFT_LIFETIME + RULES[Kind.DRAFTS].kept
    assert len(timers.purge_draft.batch(now=at)) == 3
    assert set(Client.objects.values_list("email", flat=True)) == {stays.email, "ravi@example.org"}
    timers.lapse_draft.batch(now=at + timedelta(days=2))
    timers.purge_draft.batch(now=at + timedelta(days=4))
    assert list(Client.objects.values_list("email", flat=True)) == [stays.email]
    assert not Client.history.filter(email="ravi@example.org").exists()


def saved_together(*changes: tuple[Booking, set[str]]) -> None:
    with batched_writes.batch():
        for booking, columns in changes:
            saving.save(booking, columns)


def test_what_is_saved_together_gets_each_its_own_values(now: datetime) -> None:
    made = [scenarios.submitted(f"v{n}@example.org", now=now) for n in range(3)]
    for booking, city in zip(made, ("Pune", "Pune", "Mumbai"), strict=True):
        booking.city, booking.full_name = city, "not saved"
        booking.ledger_sequence += 1
    saved_together(*((booking, {"city", "ledger_sequence"}) for booking in made))
    after = [scenarios.again(booking) for booking in made]
    assert [booking.city for booking in after] == ["Pune", "Pune", "Mumbai"]
    assert {booking.ledger_sequence for booking in after} == {2}
    assert "not saved" not in {booking.full_name for booking in after}


def test_a_batch_saves_no_booking_twice_none_that_is_gone_and_no_new_text(now: datetime) -> None:
    one, other = (scenarios.submitted(f"v{n}@example.org", now=now) for n in range(2))
    with pytest.raises(RuntimeError, match="one step"):
        saved_together((one, {"city"}), (one, {"city"}))
    with pytest.raises(RuntimeError, match="gone"):
        saved_together((one, {"city"}), (Booking(pk=10**9, city=one.city), {"city"}))
    other.user_message = one.user_message = "sealed for its row"
    with pytest.raises(TypeError):
        saved_together((one, {"user_message"}), (other, {"user_message"}))
