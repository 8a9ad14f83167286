"""What providers report of mails that left."""

from __future__ import annotations

from datetime import datetime

from backend.bookings.lifecycle.transaction import intent
from backend.outbox import deliveries
from backend.outbox.deliveries import DeliveryReport


@intent
def record_delivery(report: DeliveryReport, *, now: datetime) -> bool:
    """No transition. Any number of times and in any order. False: nothing of ours, or nothing new."""
    return deliveries.note(report, now=now) is not None
