"""How an event reaches its receiver: signed, at least once, in order per booking, and what ends it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
import time_machine
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from backend.bookings.models import Booking, LedgerEntry
from backend.outbox import messages, patience
from backend.outbox.attempts import Snooze
from backend.outbox.models import Message, MessageState, Queue
from backend.webhooks import subscriptions
from backend.webhooks.events import EventType
from backend.webhooks.models import Delivery, EndedWhy, Subscription
from tests.support import scenarios
from tests.support.webhook_receiver import DROPPED, WebhookReceiver
from workers import calls

pytestmark = [pytest.mark.django_db]
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


def work(at: datetime) -> None:
    with time_machine.travel(at, tick=True):
        calls.drain()


def types(receiver: WebhookReceiver) -> list[str]:
    return [call.said["type"] for call in receiver.taken()]


def rows() -> list[Message]:
    return list(Message.objects.filter(queue=Queue.CALLS).order_by("pk"))


@pytest.fixture
def booking(subscription: Subscription, now: datetime) -> Booking:
    """Requested and approved, of which nothing is delivered yet."""
    return scenarios.approved(now=now)


@pytest.mark.sqlite_only
def test_the_reference_library_verifies_it_with_either_secret(
    booking: Booking, subscription: Subscription, receiver: WebhookReceiver, now: datetime
) -> None:
    [before] = [one.secret for one in subscriptions.secrets_of(subscription, now=now)]
    after = subscriptions.rotate_secret(subscription, now=now, overlap=HOUR)
    work(now + SECOND)
    with time_machine.travel(now + SECOND):
        for call in receiver.calls:
            for secret in (before, after):
                assert Webhook(secret).verify(call.body, call.headers) == call.said
            for changed in (call.body + b" ", call.body.replace(b"booking", b"Booking")):
                with pytest.raises(WebhookVerificationError):
                    Webhook(after).verify(changed, call.headers)
    Message.objects.filter(queue=Queue.CALLS).delete()
    receiver.calls.clear()
    scenarios.call_off(booking, now + 2 * HOUR)
    work(now + 2 * HOUR + SECOND)
    with time_machine.travel(now + 2 * HOUR + SECOND):
        Webhook(after).verify(receiver.calls[0].body, receiver.calls[0].headers)
        with pytest.raises(WebhookVerificationError):
            Webhook(before).verify(receiver.calls[0].body, receiver.calls[0].headers)


@pytest.mark.sqlite_only
def test_it_says_that_something_happened_and_nothing_about_anybody(
    booking: Booking, receiver: WebhookReceiver, now: datetime
) -> None:
    work(now + SECOND)
    entry = LedgerEntry.objects.get(booking=booking, sequence=booking.ledger_sequence)
    assert receiver.calls[-1].said == {
        "type": "booking.approved",
        "timestamp": "2026-11-23T04:30:00Z",
        "data": {
            "booking": booking.pk,
            "sequence": booking.ledger_sequence,
            "url": f"http://localhost:8000/api/staff/events/?after={entry.pk - 1}&limit=1",
        },
    }
    seen = json.dumps([(call.headers, call.body.decode()) for call in receiver.calls])
    for private in ("asha", "Asha", booking.acknowledgement_id, "2026-11-24", "psychologist", "session"):
        assert private not in seen


def test_events_of_a_booking_keep_their_order_behind_one_that_fails(
    booking: Booking, receiver: WebhookReceiver, now: datetime
) -> None:
    other = scenarios.pending("ravi@example.org", now=now)
    receiver.answer = lambda body: 500 if b"requested" in body and f":{booking.pk},".encode() in body else 204
    work(now + SECOND)
    assert [(call.said["data"]["booking"], call.said["type"]) for call in receiver.taken()] == [
        (other.pk, EventType.REQUESTED)
    ]
    receiver.answer = lambda _body: 204
    work(now + 8 * SECOND)
    work(now + 10 * SECOND)
    assert types(receiver)[1:] == [EventType.REQUESTED, EventType.APPROVED]
    assert [row.state for row in rows()] == [MessageState.DONE] * 3
    first, again = [call for call in receiver.calls if call.said == receiver.calls[0].said]
    assert first.event_id == again.event_id


@pytest.mark.sqlite_only
def test_gone_ends_the_subscription_and_what_is_owed_to_it(
    booking: Booking, subscription: Subscription, receiver: WebhookReceiver, now: datetime
) -> None:
    receiver.answer = lambda _body: 410
    work(now + SECOND)
    subscription.refresh_from_db()
    assert (subscription.ended_why, len(receiver.calls)) == (EndedWhy.GONE, 1)
    assert [row.state for row in rows()] == [MessageState.OBSOLETE] * 2


@pytest.mark.sqlite_only
def test_a_receiver_that_takes_nothing_is_left_alone_and_given_up_after_three_days(
    booking: Booking, subscription: Subscription, receiver: WebhookReceiver, now: datetime
) -> None:
    scenarios.pending("ravi@example.org", now=now)
    receiver.answer, at = lambda _body: DROPPED, now + SECOND
    for _ in range(5):
        work(at)
        at += 6 * SECOND
    subscription.refresh_from_db()
    assert subscription.failing_since is not None
    assert subscription.retry_at is not None
    tried = len(receiver.calls)
    assert 3 <= tried <= 6  # some calls for three rows in half a minute
    work(now + patience.TRIED_FOR - HOUR)
    assert all(row.state == MessageState.WAITING for row in rows())
    for days in range(4):
        work(now + patience.TRIED_FOR + HOUR + days * DAY)
    assert [row.state for row in rows()] == [MessageState.DEAD] * 3
    subscription.refresh_from_db()
    assert subscription.failing_since < now + 7 * SECOND
    receiver.answer = lambda _body: 204
    later = now + 10 * DAY
    for row in rows():
        assert messages.redrive(row.pk, now=later)
    work(later + SECOND)
    subscription.refresh_from_db()
    assert [row.state for row in rows()] == [MessageState.DONE] * 3
    assert (subscription.failing_since, subscription.failures, subscription.retry_at) == (None, 0, None)


@pytest.mark.sqlite_only
def test_what_its_worker_left_in_the_middle_is_delivered_again_and_its_younger_waits(
    booking: Booking, receiver: WebhookReceiver, now: datetime
) -> None:
    [row, younger] = messages.claim(Queue.CALLS, now=now + SECOND)
    Message.objects.filter(pk=younger.pk).update(lease_expires_at=None)  # another worker takes that one
    assert calls.perform(row) == MessageState.DONE  # and there it dies
    work(now + 2 * SECOND)
    assert types(receiver) == [EventType.REQUESTED]
    work(now + messages.CLAIMED_FOR + 2 * SECOND)
    work(now + messages.CLAIMED_FOR + 4 * SECOND)
    assert types(receiver) == [EventType.REQUESTED, EventType.REQUESTED, EventType.APPROVED]
    assert receiver.calls[0].event_id == receiver.calls[1].event_id == str(row.uuid)


@pytest.mark.sqlite_only
def test_an_address_that_leads_elsewhere_by_now_is_not_called(
    booking: Booking, subscription: Subscription, receiver: WebhookReceiver, now: datetime, settings: object
) -> None:
    settings.CALL_LOOPBACK = False  # type: ignore[attr-defined]
    work(now + SECOND)
    assert receiver.calls == []
    [attempt, *_] = Delivery.objects.order_by("pk")
    assert (attempt.status, attempt.trouble) == (None, "address refused: scheme")
    assert rows()[0].state == MessageState.WAITING


@pytest.mark.sqlite_only
def test_each_attempt_is_logged_without_a_word_of_either_side(
    booking: Booking, subscription: Subscription, receiver: WebhookReceiver, now: datetime
) -> None:
    answers = iter([503, 204, 204])
    receiver.answer = lambda _body: next(answers)
    work(now + SECOND)
    work(now + 8 * SECOND)
    work(now + 10 * SECOND)
    logged = [(one.subscription, one.status, one.trouble) for one in Delivery.objects.order_by("pk")]
    assert logged == [(subscription, 503, ""), (subscription, 204, ""), (subscription, 204, "")]


@pytest.mark.sqlite_only
def test_of_a_server_that_took_nothing_lately_one_worker_tries_for_all(
    booking: Booking, subscription: Subscription, receiver: WebhookReceiver, now: datetime
) -> None:
    other = scenarios.pending("ravi@example.org", now=now)
    Subscription.objects.update(failures=3, failing_since=now, retry_at=now - SECOND)
    mine = Message.objects.get(queue=Queue.CALLS, booking_id=other.pk)
    theirs = rows()[0]
    theirs.ledger_sequence = 99  # over which its worker trips in the middle
    with time_machine.travel(now, tick=False):
        with pytest.raises(LedgerEntry.DoesNotExist):
            calls.perform(theirs)
        assert calls.perform(mine) == Snooze(now + subscriptions.TRY_LASTS)
    assert receiver.calls == []
    with time_machine.travel(now + subscriptions.TRY_LASTS + SECOND):
        assert calls.perform(mine) == MessageState.DONE
    subscription.refresh_from_db()
    assert (subscription.failures, subscription.retry_at) == (0, None)


@pytest.mark.sqlite_only
def test_of_two_that_saw_the_same_one_has_the_turn(subscription: Subscription, now: datetime) -> None:
    Subscription.objects.update(failures=3, failing_since=now, retry_at=now - SECOND)
    first, second = Subscription.objects.get(), Subscription.objects.get()
    assert [subscriptions.take_turn(one, now=now) for one in (first, second)] == [True, False]
    later = now + subscriptions.TRY_LASTS + SECOND
    assert subscriptions.take_turn(Subscription.objects.get(), now=later)


@pytest.mark.sqlite_only
def test_another_address_is_not_left_alone_for_what_the_one_before_did(
    subscription: Subscription, now: datetime
) -> None:
    failing = {"failures": 3, "failing_since": now, "retry_at": now + HOUR}
    Subscription.objects.update(**failing)
    same = {"name": "Other", "address": subscription.address, "events": ["booking.moved", "booking.cancelled"]}
    changed = subscriptions.change(Subscription.objects.get(), **same)
    assert {name: getattr(changed, name) for name in failing} == failing
    changed = subscriptions.change(changed, **{**same, "address": "https://other.example.org/"})
    assert (changed.failures, changed.failing_since, changed.retry_at) == (0, None, None)
    assert changed.events == ["booking.cancelled", "booking.moved"]
