"""The life of a subscription's secrets, and what its log keeps."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from backend.bookings.retention import Kind, delete
from backend.webhooks import subscriptions
from backend.webhooks.events import EventType
from backend.webhooks.models import Delivery, EndedWhy, Subscription
from tests.support import scenarios
from tests.support.webhook_receiver import WebhookReceiver
from workers import calls

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only]
HOUR = timedelta(hours=1)


def test_two_secrets_sign_at_most_and_the_older_one_for_a_while(subscription: Subscription, now: datetime) -> None:
    second = subscriptions.rotate_secret(subscription, now=now)
    third = subscriptions.rotate_secret(subscription, now=now + HOUR, overlap=HOUR)
    in_use = [one.secret for one in subscriptions.secrets_of(subscription, now=now + HOUR)]
    assert in_use == [third, second]
    assert [one.secret for one in subscriptions.secrets_of(subscription, now=now + 2 * HOUR)] == [third]


def test_it_ends_once(subscription: Subscription, now: datetime) -> None:
    assert subscriptions.end(subscription, EndedWhy.BY_STAFF, now=now)
    assert not subscriptions.end(subscription, EndedWhy.GONE, now=now)
    subscription.refresh_from_db()
    assert subscription.ended_why == EndedWhy.BY_STAFF


def test_the_log_of_deliveries_is_kept_for_a_month(
    subscription: Subscription, receiver: WebhookReceiver, now: datetime
) -> None:
    scenarios.pending(now=now - timedelta(seconds=1))
    calls.drain()
    Delivery.objects.update(at=now)
    assert delete(Kind.DELIVERIES, now=now + timedelta(days=29)) == 0
    assert delete(Kind.DELIVERIES, now=now + timedelta(days=31)) == 1
    assert not Delivery.objects.exists()


def test_the_words_are_documented() -> None:
    text = Path("docs/webhooks.md").read_text()
    assert all(f"| `{type_}` | {type_.label} |" in text for type_ in EventType)
