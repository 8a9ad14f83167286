"""Beat's scheduler: the database's table, a sign of life at its ticks, and no fear of a clock that steps back."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from celery.schedules import schedstate, schedule
from django.db import DatabaseError, InterfaceError, close_old_connections
from django.utils import timezone
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from backend.ops.models import Role
from workers import heartbeat

log = logging.getLogger(__name__)


class Entry(ModelEntry):  # type: ignore[misc] # the library has no types
    """One line of the table. One that was sent "in the future", before the clock stepped back, is due at once."""

    last_run_at: datetime

    def is_due(self) -> schedstate:
        """Whether to send it, and in how many seconds to look again."""
        now = self._default_now()
        if self.last_run_at > now:
            is_interval = isinstance(self.schedule, schedule)
            self.last_run_at = now - self.schedule.run_every if is_interval else now  # a crontab waits for its hour
        due: schedstate = super().is_due()
        return due


class Scheduler(DatabaseScheduler):  # type: ignore[misc] # the library has no types
    """Celery plans in wall-clock instants, so that a clock set back two hours would keep it silent for two hours.

    https://github.com/celery/celery/blob/v5.7.0/celery/beat.py (`Scheduler.tick`, its heap)
    """

    Entry = Entry
    _ticked_at: datetime | None = None

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due, then say so; seconds until the next look. After a step back all is read and planned anew.

        A tick that hangs in the broker leaves no sign: what counts is that wake-ups leave.
        """
        now = timezone.now()
        if self._ticked_at is not None and now < self._ticked_at:
            self._heap = None
            self._initial_read = True
        self._ticked_at = now
        pause: float = super().tick(*args, **kwargs)
        try:
            heartbeat.record(Role.BEAT)
        except (DatabaseError, InterfaceError) as error:  # the scheduler outlives its database, and so must its sign
            log.warning("no sign of life: %s", type(error).__name__)
            close_old_connections()
        return pause

    def schedule_changed(self) -> bool:
        """Whether the table was edited since the last look: at another instant, which need not be a later one."""
        seen = self._last_timestamp
        changed: bool = super().schedule_changed()
        return changed or (seen is not None and self._last_timestamp != seen)

    def close(self) -> None:
        """Beat stops."""
        super().close()
        heartbeat.remove(heartbeat.name_of(Role.BEAT))
