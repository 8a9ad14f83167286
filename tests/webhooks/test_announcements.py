"""Which steps subscribers are told of, to whom, and when."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from backend.bookings import policy
from backend.bookings.intents import Intent
from backend.bookings.lifecycle import approval, undo
from backend.bookings.lifecycle.announcements import OF_INTENTS, OF_STATES, events_of
from backend.bookings.lifecycle.session_terms import Approval
from backend.bookings.machine import State
from backend.outbox.models import Message, MessageState, Queue
from backend.webhooks import subscriptions
from backend.webhooks.events import EventType
from backend.webhooks.models import EndedWhy, Subscription
from tests.support import scenarios

pytestmark = [pytest.mark.django_db]


def told() -> list[str]:
    """The types owed, in their order."""
    kinds = Message.objects.filter(queue=Queue.CALLS).order_by("pk").values_list("kind", flat=True)
    return [kind.removeprefix("webhook:") for kind in kinds]


def test_a_paid_session_is_told_step_by_step(subscription: Subscription, now: datetime) -> None:
    booking = scenarios.completed(now=now)
    assert told() == [
        EventType.REQUESTED, EventType.APPROVED, EventType.PAYMENT_RECEIVED, EventType.CONFIRMED, EventType.COMPLETED,
    ]  # fmt: skip
    row = Message.objects.filter(queue=Queue.CALLS).earliest("pk")
    assert (row.booking_id, row.subject_id, row.recipient) == (
        booking.pk,
        subscription.pk,
        f"webhook:{subscription.pk}",
    )


@pytest.mark.sqlite_only
def test_who_has_ended_or_did_not_ask_is_not_told(subscription: Subscription, now: datetime) -> None:
    Subscription.objects.filter(pk=subscription.pk).update(events=[EventType.CONFIRMED])
    gone, _ = subscriptions.subscribe(name="x", address="x", events=EventType.values, by="x", now=now)
    subscriptions.end(gone, EndedWhy.BY_STAFF, now=now)
    scenarios.confirmed(now=now)
    assert told() == [EventType.CONFIRMED]


@pytest.mark.sqlite_only
def test_what_can_be_undone_waits_and_is_told_to_nobody_once_it_is(subscription: Subscription, now: datetime) -> None:
    booking, who = scenarios.pending(now=now), scenarios.psychologist()
    terms = Approval(who.pk, scenarios.slot_tomorrow(now), is_undoable=True)
    approval.approve(booking.pk, terms, actor="staff:asha", now=now)
    row = Message.objects.get(kind=f"webhook:{EventType.APPROVED}")
    assert row.not_before == now + policy.UNDO_WINDOW
    undo.undo_decision(booking.pk, actor="staff:asha", now=now + timedelta(seconds=1))
    row.refresh_from_db()
    assert row.state == MessageState.OBSOLETE
    assert told() == [EventType.REQUESTED, EventType.APPROVED]


def test_every_event_has_a_step_and_a_draft_is_nobody_s_business() -> None:
    assert {*OF_INTENTS.values(), *OF_STATES.values()} == set(EventType)
    assert events_of(Intent.SUBMIT_DRAFT, "", State.DRAFT) == []
    assert events_of(Intent.LAPSE_DRAFT, State.DRAFT, State.CANCELLED) == []
    assert events_of(Intent.END_IDLE_ATTEMPT, State.PAYMENT_PENDING, State.APPROVED) == []
    assert events_of(Intent.UNDO_DECISION, State.CANCELLED, State.CONFIRMED) == []
    assert events_of(Intent.VOID_DESK_PAYMENT, State.CONFIRMED, State.APPROVED) == [EventType.PAYMENT_VOIDED]
