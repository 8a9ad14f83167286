"""Which queues beat wakes between two ticks, because something new is owed: it looks ten times a second.

The ticks stay, for what a look does not see: what waits for longer, clocks that differ, a look that failed.
docs/decisions/076 says why it is no notification.
"""

from __future__ import annotations

import time
from datetime import datetime

from backend.outbox.fresh_work import queues_with_fresh_work
from backend.outbox.models import Queue

LOOK_EVERY = 0.1  # seconds: a mail waits for half of it on average
AGAIN_AFTER = 1.0  # seconds: a queue that goes on owing something fresh is woken no more often than that


class Look:
    """Remembers whom it woke, so that what is not done at once wakes nobody ten times a second."""

    def __init__(self) -> None:
        self._woken_at: dict[Queue, float] = {}  # of those that owed something at the last look
        self._at = float("-inf")  # of the next look; monotonic, both

    def queues(self, *, now: datetime) -> list[Queue]:
        """Those to wake now; none before it is time for another look."""
        if self.pause() > 0:
            return []
        self.put_off(LOOK_EVERY)
        owing, at = queues_with_fresh_work(now=now), time.monotonic()
        woken = [queue for queue in owing if at - self._woken_at.get(queue, float("-inf")) >= AGAIN_AFTER]
        self._woken_at = {queue: at if queue in woken else self._woken_at[queue] for queue in owing}
        return woken

    def put_off(self, seconds: float) -> None:
        """The next look comes so much later."""
        self._at = time.monotonic() + seconds

    def pause(self) -> float:
        """Seconds until the next look."""
        return self._at - time.monotonic()
