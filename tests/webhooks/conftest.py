"""A receiver that events are delivered to, and a subscription to all of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from backend.webhooks import subscriptions
from backend.webhooks.events import EventType
from backend.webhooks.models import Subscription
from tests.support import webhook_receiver
from tests.support.webhook_receiver import WebhookReceiver


@pytest.fixture
def receiver(settings: Any) -> Iterator[WebhookReceiver]:
    settings.CALL_LOOPBACK = True
    with webhook_receiver.listening() as made:
        yield made


@pytest.fixture
def subscription(now: datetime, receiver: WebhookReceiver) -> Subscription:
    made, _ = subscriptions.subscribe(
        name="Partner", address=receiver.url, events=EventType.values, by="staff:asha", now=now
    )
    return made
