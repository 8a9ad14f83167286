"""The sweeps: one broken booking keeps nobody else waiting."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.bookings import policy
from backend.bookings.lifecycle import choices
from backend.bookings.machine import State
from backend.bookings.models import Booking, Link
from backend.bookings.retention import RULES, Kind
from backend.ops.models import Timer
from backend.outbox.models import Message, MessageState
from tests.support import scenarios
from tests.support.broken_steps import fail_for
from tests.support.scenarios import RAVI
from workers import timers

pytestmark = pytest.mark.django_db


def run(task, at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        task()


def test_a_sweep_expires_everything_that_is_due(now: datetime) -> None:
    due, early = scenarios.submitted(now=now), scenarios.submitted(RAVI, now=now + timedelta(hours=1))
    run(timers.lapse_drafts, now + policy.DRAFT_LIFETIME)
    assert scenarios.again(due).state == State.CANCELLED
    assert scenarios.again(early).state == State.DRAFT


def test_a_booking_that_fails_is_logged_and_skipped(now: datetime, monkeypatch, caplog) -> None:
    broken, sound = scenarios.submitted(now=now), scenarios.submitted(RAVI, now=now)
    fail_for(monkeypatch, timers.timers.lapse_draft, broken)
    run(timers.lapse_drafts, now + policy.DRAFT_LIFETIME)
    assert scenarios.again(broken).state == State.DRAFT
    assert scenarios.again(sound).state == State.CANCELLED
    assert f"failed for booking {broken.pk}" in caplog.text


@pytest.mark.parametrize(
    ("task", "make", "target"),
    [
        (timers.close_unanswered, scenarios.pending, State.CANCELLED),
        (timers.time_out_approvals, scenarios.approved, State.CANCELLED),
        (timers.complete_sessions, scenarios.confirmed, State.COMPLETED),
    ],
)
def test_each_sweep_calls_its_intent(task, make, target: State, now: datetime, settings) -> None:
    settings.PAYMENT_GATEWAY = "sandbox"
    booking = make(now=now)
    run(task, booking.due_at - timedelta(seconds=1))
    assert scenarios.again(booking).state == booking.state
    run(task, booking.due_at)
    assert scenarios.again(booking).state == target


def test_open_attempts_are_asked_after(now: datetime, settings) -> None:
    settings.PAYMENT_GATEWAY = "sandbox"
    booking, _ = scenarios.paying(now=now)
    run(timers.ask_after_attempts, booking.due_at)
    run(timers.ask_after_attempts, booking.due_at + timedelta(seconds=1))
    assert Message.objects.filter(kind="ask_gateway").count() == 1


def test_choices_that_were_not_made_lapse(now: datetime, settings) -> None:
    settings.PAYMENT_GATEWAY = "sandbox"
    booking = scenarios.confirmed(now=now, at=now + timedelta(days=3))
    ends_at = choices.offer_choice(booking.pk, actor="staff:desk", now=now).choose_by
    run(timers.lapse_choices, ends_at - timedelta(seconds=1))
    assert scenarios.again(booking).state == State.CONFIRMED
    run(timers.lapse_choices, ends_at)
    assert scenarios.again(booking).state == State.CANCELLED


def test_purges_run_on_their_time(now: datetime) -> None:
    booking = scenarios.submitted(now=now)
    run(timers.lapse_drafts, booking.due_at)
    run(timers.purge_drafts, booking.due_at + RULES[Kind.DRAFTS].kept)
    assert Booking.objects.get().email == ""
    expires_at = Link.objects.first().expires_at
    run(timers.purge_links, expires_at + RULES[Kind.LINKS].kept - timedelta(seconds=1))
    assert Link.objects.exists()
    run(timers.purge_links, expires_at + RULES[Kind.LINKS].kept)
    assert not Link.objects.exists()


def test_purges_go_on_until_nothing_is_due(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    bookings = [scenarios.submitted(f"v{n}@example.org", now=now) for n in range(5)]
    run(timers.lapse_drafts, now + policy.DRAFT_LIFETIME)
    monkeypatch.setattr(policy, "SWEEP_BATCH", 2)
    fail_for(monkeypatch, timers.timers.purge_draft, bookings[0])
    run(timers.purge_drafts, now + policy.DRAFT_LIFETIME + RULES[Kind.DRAFTS].kept)
    assert list(Booking.objects.filter(purged_at=None).values_list("pk", flat=True)) == [bookings[0].pk]
    timer = Timer.objects.get(name="purge_drafts")
    assert (timer.examined, timer.changed, timer.failed) == (5, 4, 1)
    run(timers.purge_links, now + timedelta(days=3650))
    assert not Link.objects.exists()


def test_settled_messages_are_blanked_on_their_time(now: datetime) -> None:
    scenarios.submitted(now=now)
    Message.objects.update(state=MessageState.DONE, settled_at=now)
    run(timers.blank_messages, now + RULES[Kind.MAILS].kept - timedelta(seconds=1))
    assert Message.objects.exclude(recipient="").exists()
    run(timers.blank_messages, now + RULES[Kind.MAILS].kept)
    assert not Message.objects.exclude(recipient="").exists()


@pytest.mark.parametrize(
    "task", [timers.forget_ended, timers.blank_messages, timers.complete_sessions, timers.expire_access_log]
)
def test_a_timer_that_finds_nothing_asks_once_and_notes_its_run(task: Any, now: datetime) -> None:
    run(task, now)  # it writes its sign of life, and its row
    with CaptureQueriesContext(connection) as asked:
        run(task, now)
    assert [one["sql"].split()[0] for one in asked] == ["UPDATE", "SELECT", "UPDATE"]
