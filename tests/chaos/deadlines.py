"""Reads every deadline while it stands, so that it can be told afterwards how late each was kept."""

from __future__ import annotations

import threading
from datetime import datetime

from django.db import Error, close_old_connections, connection

from backend.bookings.models import Booking, LedgerEntry

EVERY = 0.5  # seconds
BY_TIME = {"lapse_draft", "unanswered", "payment_timed_out", "complete_session", "end_idle_attempt"}  # ledger intents


class Deadlines(threading.Thread):
    """The last `due_at` seen of each booking in each state."""

    def __init__(self) -> None:
        super().__init__(daemon=True, name="deadlines")
        self._seen: dict[tuple[int, str], datetime] = {}
        self._is_over = threading.Event()

    def run(self) -> None:
        while not self._is_over.wait(EVERY):
            self.look()
        connection.close()

    def look(self) -> None:
        try:
            standing = list(Booking.objects.filter(due_at__isnull=False).values_list("pk", "state", "due_at"))
        except Error:  # PostgreSQL is away; the next look asks again
            close_old_connections()
            connection.close()
            return
        for pk, state, due_at in standing:
            self._seen[pk, state] = due_at

    def stop(self) -> None:
        self._is_over.set()
        self.join()

    def lateness(self) -> list[float]:
        """Seconds from each deadline that passed to the transition that kept it."""
        late = []
        for entry in LedgerEntry.objects.filter(intent__in=BY_TIME):
            due_at = self._seen.get((entry.booking_id, entry.source))
            if due_at is not None and entry.source != entry.target:
                late.append((entry.at - due_at).total_seconds())
        return late
