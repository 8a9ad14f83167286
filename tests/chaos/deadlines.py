"""Reads every deadline while it stands, so that it can be told afterwards how late each was kept."""

from __future__ import annotations

from datetime import datetime

from backend.bookings.models import Booking, LedgerEntry
from tests.support.repeating import Observer

BY_TIME = {"lapse_draft", "unanswered", "payment_timed_out", "complete_session", "end_idle_attempt"}  # ledger intents


class Deadlines(Observer):
    """The last `due_at` seen of each booking in each state."""

    every = 0.5  # seconds

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[int, str], datetime] = {}

    def look(self) -> None:
        for pk, state, due_at in Booking.objects.filter(due_at__isnull=False).values_list("pk", "state", "due_at"):
            self._seen[pk, state] = due_at

    def lateness(self) -> list[float]:
        """Seconds from each deadline that passed to the transition that kept it."""
        late = []
        for entry in LedgerEntry.objects.filter(intent__in=BY_TIME):
            due_at = self._seen.get((entry.booking_id, entry.source))
            if due_at is not None and entry.source != entry.target:
                late.append((entry.at - due_at).total_seconds())
        return late
