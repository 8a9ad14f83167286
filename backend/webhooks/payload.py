"""What a webhook says: that something happened to a booking, and where to read what. Nothing about anybody.

A receiver's log must tell no stranger that somebody sees a psychologist. So there is no name, no time of a session,
and not the booking's own id either, by which anybody may ask for its status: a number that no door of ours takes, and
an address that answers only who has a token of staff.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from django.conf import settings

from backend.core import webhook_signature
from backend.webhooks.events import EventType
from backend.webhooks.models import Secret

EVENTS = "/api/staff/events/?after={}&limit=1"


def body(type_: EventType, *, at: datetime, booking_id: int, sequence: int, event_id: int) -> bytes:
    """JSON; the same bytes at each attempt."""
    told = {
        "type": type_.value,
        "timestamp": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": {
            "booking": booking_id,
            "sequence": sequence,
            "url": settings.PUBLIC_URL + EVENTS.format(event_id - 1),
        },
    }
    return json.dumps(told, separators=(",", ":")).encode()


def headers(content: bytes, *, message_id: str, secrets: Sequence[Secret], now: datetime) -> dict[str, str]:
    """Who sends what kind of thing, signed anew at each attempt with each secret."""
    stamp = str(int(now.timestamp()))
    signed = [
        webhook_signature.signature(content, one.secret, event_id=message_id, stamp=stamp).decode() for one in secrets
    ]
    return {
        "Content-Type": "application/json",
        "User-Agent": "webhooks/1",
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(signed),
    }
