"""The signs of life in the database: the outbox by queue, processes, canaries and timers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.apps import apps
from django.db.models import Count, Min, Q

from backend.ops.models import QUEUES, Canary, Process, Role, Timer
from backend.outbox.models import Message, MessageState, PausedQueue, Queue

SILENT_AFTER = timedelta(seconds=30)  # six missed signs of life; the longest single effect takes 15 s
MISSED_FOR = timedelta(hours=1)  # a process that fell silent is missed that long; then its machine is taken for gone
STALE_AFTER = timedelta(seconds=40)  # of a canary that is sent every 5 s; a drain in hand may take 35 s
LATE_AFTER = timedelta(seconds=15)  # past a timer's due time: longer than a sweep of 200 bookings
DOWN_AFTER = timedelta(seconds=90)  # past it: longer than Celery lets any task run
TIMER_TASKS = "workers.timers."
HELPERS = ("canary", "run_asked")  # tasks of the timers queue that keep no deadline


@dataclass(frozen=True)
class Pause:
    """Who paused a queue, when and why."""

    by: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class OutboxQueue:
    """Owed effects of one queue."""

    name: Queue
    ready: int  # due, and free to be claimed
    leased: int  # in a worker's hands
    backing_off: int  # due, and waiting for the next attempt after one that failed
    scheduled: int  # not due yet
    dead: int
    oldest_ready_age: timedelta | None  # since its turn came: how far the workers are behind
    oldest_owed_age: timedelta | None  # since it became due, attempts included: how long somebody has waited
    oldest_dead_age: timedelta | None  # since it was given up
    pause: Pause | None


@dataclass(frozen=True)
class ProcessSign:
    """A worker, or beat."""

    name: str
    role: Role
    seen_at: datetime
    age: timedelta
    is_alive: bool


@dataclass(frozen=True)
class CanarySign:
    """A queue's last canary; `age` is None when none ever came."""

    queue: Role
    arrived_at: datetime | None
    age: timedelta | None
    travel: timedelta | None  # from beat to row
    is_stale: bool


class TimerState(StrEnum):
    """How a timer stands, judged by its last run that came to its end."""

    NEW = "new"  # has not run yet
    UP = "up"
    LATE = "late"
    DOWN = "down"
    OFF = "off"  # switched off in the schedule


@dataclass(frozen=True)
class TimerSign:
    """A timer of the schedule and its last run."""

    name: str
    entry: str  # its name in the schedule
    state: TimerState
    every: timedelta | None  # None: an operator gave it a crontab
    started_at: datetime | None
    finished_at: datetime | None
    succeeded_at: datetime | None
    examined: int
    changed: int
    failed: int
    error: str
    due_at: datetime | None
    lateness: timedelta
    asked_at: datetime | None


@dataclass(frozen=True)
class Vitals:
    """What readiness is judged by."""

    outbox: tuple[OutboxQueue, ...]
    processes: tuple[ProcessSign, ...]
    canaries: tuple[CanarySign, ...]
    timers: tuple[TimerSign, ...]

    @property
    def beat_seen_at(self) -> datetime | None:
        """Beat's last tick."""
        return max((process.seen_at for process in self.processes if process.role == Role.BEAT), default=None)

    def alive(self, role: Role) -> int:
        """How many processes of this role are at work."""
        return sum(process.role == role and process.is_alive for process in self.processes)


def read(*, now: datetime) -> Vitals:
    """Seven queries."""
    return Vitals(_outbox(now), processes(now=now), _canaries(now), _timers(now))


def _outbox(now: datetime) -> tuple[OutboxQueue, ...]:
    due, leased = Q(not_before__lte=now), Q(lease_expires_at__gt=now)
    ready = Q(next_attempt_at__lte=now) & (Q(lease_expires_at=None) | Q(lease_expires_at__lte=now))
    counted = (
        Message.objects.filter(state=MessageState.WAITING)
        .order_by()
        .values("queue")
        .annotate(
            ready=Count("pk", filter=ready),
            leased=Count("pk", filter=leased),
            backing_off=Count("pk", filter=due & Q(next_attempt_at__gt=now, lease_expires_at=None)),
            rows=Count("pk"),
            oldest_ready=Min("next_attempt_at", filter=ready),
            oldest_owed=Min("not_before", filter=due),
        )
    )
    waiting: dict[str, Any] = {row["queue"]: row for row in counted}
    dead_rows = Message.objects.filter(state=MessageState.DEAD).order_by().values_list("queue")
    dead = {queue: (count, at) for queue, count, at in dead_rows.annotate(Count("pk"), Min("settled_at"))}
    pauses = {row.queue: Pause(row.paused_by, row.paused_at, row.reason) for row in PausedQueue.objects.all()}
    found = []
    for queue in Queue:
        row, (dead_count, oldest_dead) = waiting.get(queue, {}), dead.get(queue, (0, None))
        seen = {name: int(row.get(name, 0)) for name in ("ready", "leased", "backing_off")}
        found.append(
            OutboxQueue(
                name=queue,
                **seen,
                scheduled=int(row.get("rows", 0)) - sum(seen.values()),
                dead=dead_count,
                oldest_ready_age=since(row.get("oldest_ready"), now),
                oldest_owed_age=since(row.get("oldest_owed"), now),
                oldest_dead_age=since(oldest_dead, now),
                pause=pauses.get(queue),
            )
        )
    return tuple(found)


def processes(*, now: datetime) -> tuple[ProcessSign, ...]:
    """Those that are at work or missed, in the order of the roles."""
    order = list(Role)
    rows = sorted(
        Process.objects.filter(seen_at__gt=now - MISSED_FOR), key=lambda row: (order.index(Role(row.role)), row.name)
    )
    return tuple(
        ProcessSign(row.name, Role(row.role), row.seen_at, now - row.seen_at, now - row.seen_at <= SILENT_AFTER)
        for row in rows
    )


def _canaries(now: datetime) -> tuple[CanarySign, ...]:
    rows = {row.queue: row for row in Canary.objects.all()}
    found = []
    for queue in QUEUES:
        row = rows.get(queue)
        age = now - row.arrived_at if row else None
        travel = row.arrived_at - row.sent_at if row and row.sent_at else None
        is_stale = age is None or age > STALE_AFTER
        found.append(CanarySign(queue, row.arrived_at if row else None, age, travel, is_stale))
    return tuple(found)


def _timers(now: datetime) -> tuple[TimerSign, ...]:
    """By the schedule as it stands in the database, an operator's edits included; no module of ours imports it."""
    entries = (
        apps.get_model("django_celery_beat", "PeriodicTask")
        .objects.filter(task__startswith=TIMER_TASKS)
        .order_by("id")
        .values_list("name", "task", "enabled", "interval__every", "interval__period")
    )
    runs = {row.name: row for row in Timer.objects.all()}
    found = []
    for entry, task, is_enabled, every, period in entries:
        name = task.removeprefix(TIMER_TASKS)
        if name in HELPERS:
            continue
        span = timedelta(**{period: every}) if period else None
        found.append(_timer(name, entry, runs.get(name) or Timer(name=name), span, is_enabled, now))
    return tuple(found)


def _timer(name: str, entry: str, run: Timer, every: timedelta | None, is_enabled: bool, now: datetime) -> TimerSign:
    reference = run.succeeded_at or run.started_at  # one that never came to its end gets late like any other
    due_at = reference + every if reference and every and is_enabled else None
    lateness = max(timedelta(0), now - due_at) if due_at else timedelta(0)
    return TimerSign(
        name=name,
        entry=entry,
        state=_state(is_enabled, run.started_at is not None, lateness),
        every=every,
        started_at=run.started_at,
        finished_at=run.finished_at,
        succeeded_at=run.succeeded_at,
        examined=run.examined,
        changed=run.changed,
        failed=run.failed,
        error=run.error,
        due_at=due_at,
        lateness=lateness,
        asked_at=run.asked_at,
    )


def _state(is_enabled: bool, has_run: bool, lateness: timedelta) -> TimerState:
    if not is_enabled:
        return TimerState.OFF
    if not has_run:
        return TimerState.NEW
    if lateness > DOWN_AFTER:
        return TimerState.DOWN
    return TimerState.LATE if lateness > LATE_AFTER else TimerState.UP


def since(instant: datetime | None, now: datetime) -> timedelta | None:
    """The age of `instant`; None stays None."""
    return None if instant is None else max(timedelta(0), now - instant)
