"""The mail worker at an instant, and what became of its rows."""

from __future__ import annotations

from datetime import datetime

import time_machine

from backend.bookings.notices import Notice
from backend.outbox.models import Message, MessageState
from tests.support import scenarios
from workers import mail


def drain(at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        mail.drain()


def kinds(state: MessageState) -> list[str]:
    return list(Message.objects.filter(state=state).order_by("pk").values_list("kind", flat=True))


def failed_once(now: datetime) -> Message:
    booking = scenarios.submitted(now=now)
    drain(now)
    return Message.objects.get(booking_id=booking.pk, kind=Notice.DRAFT_SUBMITTED)
