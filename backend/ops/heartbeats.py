"""What workers and beat write about themselves: heartbeats, canaries, and the runs of timers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, IntegerField, QuerySet

from backend.core import compiled_writes, correlation
from backend.core.compiled_changes import compiled_update
from backend.core.compiled_queries import Given
from backend.ops.models import (
    AttemptCount,
    AttemptResult,
    Canary,
    IncidentKind,
    Process,
    ProcessRole,
    QueueIncident,
    Timer,
    TimerRun,
)


def record_heartbeat(name: str, role: ProcessRole, *, now: datetime, clock_ahead: timedelta | None = None) -> None:
    """A process is at work. `now` is the database's, and `clock_ahead` how far the process's own goes before it."""
    said = {"role": role, "seen_at": now, "clock_ahead": clock_ahead}
    if not Process.objects.filter(pk=name).update(**said):
        Process.objects.bulk_create([Process(name=name, **said)], ignore_conflicts=True)


def remove_heartbeat(name: str) -> None:
    """A process stops on purpose: it will not be missed."""
    Process.objects.filter(pk=name).delete()


def record_canary(queue: ProcessRole, *, sent_at: datetime | None, now: datetime) -> None:
    """Beat's message went through the queue to a worker."""
    if not Canary.objects.filter(pk=queue).update(sent_at=sent_at, arrived_at=now):
        Canary.objects.bulk_create([Canary(queue=queue, sent_at=sent_at, arrived_at=now)], ignore_conflicts=True)


def count_incidents(queue: ProcessRole, kind: IncidentKind, *, times: int = 1, now: datetime) -> None:
    """Something befell a queue so many times more."""
    QueueIncident.objects.get_or_create(queue=queue, kind=kind, defaults={"last_at": now})
    QueueIncident.objects.filter(queue=queue, kind=kind).update(count=F("count") + times, last_at=now)


@dataclass
class Run:
    """A run of a timer counts here what it does."""

    examined: int = 0
    changed: int = 0
    failed: int = 0


def count_attempts(queue: str, results: Mapping[AttemptResult, int]) -> None:
    """Of one batch."""
    for result, times in results.items():
        mine = AttemptCount.objects.filter(queue=queue, result=result)
        if not mine.update(count=F("count") + times):
            AttemptCount.objects.bulk_create([AttemptCount(queue=queue, result=result)], ignore_conflicts=True)
            mine.update(count=F("count") + times)


@contextmanager
def timer_run(name: str, *, clock: Callable[[], datetime], asked_by: str = "") -> Iterator[Run]:
    """Around a run: its start is written before it, its end and its counts after it, whatever becomes of it."""
    run, started_at, error = Run(), clock(), ""
    _write(name, _begun, at=started_at)
    try:
        yield run
    except Exception as cause:
        error = type(cause).__name__
        raise
    finally:
        _finish(name, run, started_at, clock(), error, asked_by)


def _finish(name: str, run: Run, started_at: datetime, finished_at: datetime, error: str, asked_by: str) -> None:
    counts = {"finished_at": finished_at, **vars(run), "error": error}
    is_told = bool(run.examined or run.changed or error or asked_by)
    with transaction.atomic() if is_told else nullcontext():  # one commit
        _write(name, _failed if error else _succeeded, started_at=started_at, **counts)
        if is_told:
            about = {"asked_by": asked_by, "correlation_id": correlation.current()}
            compiled_writes.insert([TimerRun(timer=name, started_at=started_at, **about, **counts)])


def _ended(**outcome: object) -> compiled_update:
    examined, changed, failed = (Given(one, IntegerField()) for one in ("examined", "changed", "failed"))
    return compiled_update(
        _timer, finished_at=Given("finished_at"), error=Given("error"), **outcome,
        examined=examined, changed=changed, failed=failed,
        rows_changed=F("rows_changed") + changed, rows_failed=F("rows_failed") + failed,
    )  # fmt: skip


def _timer() -> QuerySet[Timer]:
    return Timer.objects.filter(pk=Given("name"))


_begun = compiled_update(_timer, started_at=Given("at"))
_succeeded = _ended(runs_succeeded=F("runs_succeeded") + 1, succeeded_at=Given("started_at"))
_failed = _ended(runs_failed=F("runs_failed") + 1)


def _write(name: str, change: compiled_update, **given: object) -> None:
    if not change.run(name=name, **given):
        Timer.objects.bulk_create([Timer(name=name)], ignore_conflicts=True)
        change.run(name=name, **given)


def take_asked_run(*, now: datetime) -> tuple[str, str] | None:
    """A timer that somebody wants run now, and who; the wish is this worker's alone. None when there is none."""
    for timer in Timer.objects.filter(asked_at__lte=now).order_by("asked_at"):
        if Timer.objects.filter(pk=timer.pk, asked_at=timer.asked_at).update(asked_at=None, asked_by=""):
            return timer.name, timer.asked_by
    return None
