"""Beat's scheduler: the database's table, and a sign of life whenever a wake-up has left.

It outlives its database and its broker. What could not be sent is due at once when the broker is back. A queue that
owes something new is woken at once, too (`workers/early.py`).
"""

from __future__ import annotations

import logging
import signal
import time
from contextlib import _GeneratorContextManager
from typing import Any

from celery.beat import SchedulingError
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from backend.ops.models import ProcessRole
from workers import heartbeat
from workers.early import Look
from workers.stopping import stopping

log = logging.getLogger(__name__)

PAUSE = 1.0  # second between two attempts while broker or database is away
SAY_EVERY = 60.0  # seconds
NAP = 0.005  # seconds: an entry's turn comes in the library's heap 10 ms early, and until then it asks without a pause


def _undisturbed() -> _GeneratorContextManager[None]:
    """Who asks the database is told to stop later: Celery's handler asks it, too, and would wait for that for ever."""
    return stopping.deferred(signal.SIGTERM, signal.SIGINT)


class Scheduler(DatabaseScheduler):  # type: ignore[misc] # the library has no types
    """Celery plans in instants of the wall clock. One that is set back silences beat, until somebody restarts it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._unsent: ModelEntry | None = None
        self._has_sent = False  # in this tick
        self._look = Look()
        self._look_at = self._sign_at = float("-inf")  # monotonic
        self._said_at: dict[str, float] = {}
        super().__init__(*args, **kwargs)

    def setup_schedule(self) -> None:
        """Beat starts. What was sent "in the future", before the clock was set back, counts as sent now."""
        now = timezone.now()
        PeriodicTask.objects.filter(last_run_at__gt=now).update(last_run_at=now)
        super().setup_schedule()

    def enabled_models_qs(self) -> Any:
        """All of them: the library's own query leaves out some that are far off, and fails on a broken time zone."""
        return PeriodicTask.objects.filter(enabled=True)  # each brings its kind by itself: one may be unreadable

    @_undisturbed()
    def all_as_schedule(self) -> dict[str, ModelEntry]:
        """The entries that work; one that does not is named, and the others go on."""
        found = {}
        for model in self.enabled_models():
            try:
                entry = self.Entry(model, app=self.app)
                entry.is_due()
            except (DatabaseError, InterfaceError):
                raise
            except Exception as error:  # noqa: BLE001 -- whatever an operator, or another release, wrote into the row
                log.error("the schedule's entry %r is skipped: %s", model.name, type(error).__name__)
            else:
                found[model.name] = entry
        return found

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send the entry that is due, if one is, and then say so; seconds until the next look.

        A tick that sends nothing leaves no sign, nor does one that hangs in the broker: what counts is that wake-ups
        leave, and a healthy table has one every few seconds.
        """
        if self._unsent is not None and not self._send(self._unsent, self.producer):
            return PAUSE  # the others stay due
        self._wake_early()
        self._has_sent = False
        try:
            pause: float = super().tick(*args, **kwargs)
        except (DatabaseError, InterfaceError) as error:
            self._say("the database is away", error)
            return PAUSE
        if self._has_sent:
            self._sign()
        elif pause <= 0:
            time.sleep(NAP)
        return min(pause, max(0.0, self._look.pause()))

    def _wake_early(self) -> None:
        """Queues that owe something new. What fails here is left to the table, and is spoken of there."""
        try:
            with _undisturbed():
                queues = self._look.queues(now=timezone.now())
            for queue in queues:
                task = f"workers.{queue}.drain"
                entry = next((entry for entry in self.schedule.values() if entry.task == task), None)
                if entry is not None:  # an operator may have disabled it
                    self.apply_async(entry, producer=self.producer, advance=False)
        except (DatabaseError, InterfaceError):
            close_old_connections()
            self._look.put_off(PAUSE)
        except SchedulingError:
            self._look.put_off(PAUSE)

    def apply_entry(self, entry: ModelEntry, producer: Any = None) -> None:
        """Send it; one that could not be sent is the first thing that is."""
        self._send(entry, producer)

    def _send(self, entry: ModelEntry, producer: Any) -> bool:
        entry.options.pop("expires", None)  # two machines' clocks would judge that
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as error:
            entry.model.last_run_at = entry.last_run_at  # a beat that starts meanwhile sends it, too
            self._unsent = entry
            self._say("the broker is away", error.__cause__ or error)
            return False
        entry.model.last_run_at, self._unsent, self._has_sent = timezone.now(), None, True
        return True

    @_undisturbed()
    def schedule_changed(self) -> bool:
        """Asked once a second, not by each tick; without a database the table stays as it was read."""
        if time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + PAUSE
        try:
            close_old_connections()
            connection.ensure_connection()
        except (DatabaseError, InterfaceError) as error:
            self._say("the database is away", error)
            return False
        return bool(super().schedule_changed())

    @_undisturbed()
    def _sign(self) -> None:
        if time.monotonic() < self._sign_at:
            return
        try:
            heartbeat.record(ProcessRole.BEAT)
        except (DatabaseError, InterfaceError) as error:
            self._sign_at = time.monotonic() + PAUSE
            self._say("no sign of life", error)
            close_old_connections()

    @_undisturbed()
    def sync(self) -> None:
        """Keep when each entry was sent last; by Celery's handler of signals, too."""
        super().sync()

    def _say(self, what: str, error: BaseException) -> None:
        """Once a minute: a tick comes many times a second."""
        if time.monotonic() - self._said_at.get(what, float("-inf")) >= SAY_EVERY:
            self._said_at[what] = time.monotonic()
            log.warning("%s: %s", what, type(error).__name__)

    @_undisturbed()
    def close(self) -> None:
        """Beat stops."""
        super().close()
        heartbeat.remove(heartbeat.name_of(ProcessRole.BEAT))
