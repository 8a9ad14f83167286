"""Beat's scheduler: the database's table, and a sign of life whenever a wake-up has left."""

from __future__ import annotations

import logging
from typing import Any

from django.db import DatabaseError, InterfaceError, close_old_connections
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from backend.ops.models import ProcessRole
from workers import heartbeat

log = logging.getLogger(__name__)


class Scheduler(DatabaseScheduler):  # type: ignore[misc] # the library has no types
    """Celery plans in instants of the wall clock. One that is set back silences beat, until somebody restarts it."""

    def setup_schedule(self) -> None:
        """Beat starts. What was sent "in the future", before the clock was set back, counts as sent now."""
        now = timezone.now()
        PeriodicTask.objects.filter(last_run_at__gt=now).update(last_run_at=now)
        super().setup_schedule()

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send the entry that is due, if one is, and then say so; seconds until the next look.

        A tick that sends nothing leaves no sign, nor does one that hangs in the broker: what counts is that wake-ups
        leave, and a healthy table has one every second.
        """
        pause: float = super().tick(*args, **kwargs)
        if pause > 0:
            return pause
        try:
            heartbeat.record(ProcessRole.BEAT)
        except (DatabaseError, InterfaceError) as error:  # the scheduler outlives its database, and so must its sign
            log.warning("no sign of life: %s", type(error).__name__)
            close_old_connections()
        return pause

    def close(self) -> None:
        """Beat stops."""
        super().close()
        heartbeat.remove(heartbeat.name_of(ProcessRole.BEAT))
