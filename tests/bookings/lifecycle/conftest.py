"""What tests of series share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from backend.bookings.models import Booking
from backend.outbox.models import Message, MessageState
from tests.support import scenarios
from tests.support.mail_provider import PROVIDER, EmailBackend
from tests.support.series_mails import Provider
from workers import mail


@pytest.fixture
def provider(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    settings.EMAIL_BACKEND = PROVIDER
    made = Provider()
    monkeypatch.setattr(EmailBackend, "send_messages", lambda _self, mails: made.send_messages(mails))
    yield made
    mail._outlet.close()


@pytest.fixture
def last(now: datetime) -> Booking:
    """A session of somebody who is treated; what was owed of it has left."""
    booking = scenarios.confirmed(now=now)
    Message.objects.filter(state=MessageState.WAITING).update(state=MessageState.DONE)
    return booking
