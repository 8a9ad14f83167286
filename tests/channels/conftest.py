"""A fake of each provider, to which this test's messages go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime

import pytest
from django.conf import LazySettings

from backend.bookings.models import Booking
from tests.support import texts as messages_of
from tests.support.fake_channels import base, custom, msg91, whatsapp
from tests.support.fake_channels.base import FakeChannel
from workers import texts

PROVIDERS = {"whatsapp": whatsapp.WhatsApp, "sms": msg91.Msg91, "custom": custom.Custom}


@pytest.fixture
def fakes(settings: LazySettings) -> Iterator[dict[str, FakeChannel]]:
    """All three, by the channel's name."""
    with ExitStack() as stack:
        served = {name: stack.enter_context(base.serving(provider())) for name, provider in PROVIDERS.items()}
        for fake in served.values():
            fake.configure(settings)
        yield served


@pytest.fixture(params=PROVIDERS)
def fake(request: pytest.FixtureRequest, settings: LazySettings) -> Iterator[FakeChannel]:
    """Each in turn, and no other."""
    with base.serving(PROVIDERS[request.param]()) as served:
        served.configure(settings)
        yield served


@pytest.fixture
def booking(now: datetime, fakes: dict[str, FakeChannel]) -> Booking:
    """Whose visitor chose text messages."""
    return messages_of.confirmed(now)


@pytest.fixture
def due(booking: Booking) -> datetime:
    """When the first reminder is."""
    return messages_of.mail_of(booking).not_before


@pytest.fixture
def junk_hooks() -> list[bytes]:
    """What no provider says, or none that we know of."""
    deep = b"[" * 100_000
    return [
        *(b"", b"null", b"[]", b"{}", b"1", b'"text"', b"{", b"\x00", deep),
        *(b'{"entry": 1}', b'{"entry": [1, {"changes": 2}]}', b'{"entry": [{"changes": [{"value": []}]}]}'),
        *(b'{"entry": [{"changes": [{"value": {"statuses": {}}}]}]}',),
        *(b'{"type": 1, "data": 2}', b'{"type": "message.delivered", "data": []}', b'{"type": "other", "data": {}}'),
        *(b'[[1], 2, {"status": {}}]', b'{"text": {}, "from": []}', b'{"text": "stop", "from": 919876543210}'),
    ]


@pytest.fixture(autouse=True)
def _no_channel_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test is a worker of its own."""
    monkeypatch.setattr(texts, "_rests", texts.Rests())
