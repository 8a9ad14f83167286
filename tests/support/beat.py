"""Beat's scheduler with its clock in a test's hands."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import time_machine
from celery.beat import ScheduleEntry, SchedulingError
from django.conf import settings
from kombu.utils import symbol_by_name

from workers.app import app

SECOND = timedelta(seconds=1)


class Beat(symbol_by_name(settings.CELERY_BEAT_SCHEDULER)):  # type: ignore[misc, valid-type] # the class that beat runs, by its setting
    """The real scheduler with its clock in our hands; what it would send is noted."""

    producer = None
    broker_is_away = False

    def __init__(self) -> None:
        self.sent: list[str] = []
        super().__init__(app=app)
        self._finalize.cancel()  # nothing is to be saved when Python ends

    def apply_async(self, entry: ScheduleEntry, producer: object = None, advance: bool = True) -> None:
        if self.broker_is_away:
            raise SchedulingError
        self.sent.append(entry.name)

    def run(self, clock: time_machine.Traveller, steps: int, step: timedelta = SECOND) -> Counter[str]:
        """Let it look at the table after each of so many steps; how often it sent what."""
        self.sent.clear()
        for _ in range(steps):
            clock.shift(step)
            for _entry in range(20):  # one tick sends one entry
                if self.tick() > 0:
                    break
        return Counter(self.sent)
