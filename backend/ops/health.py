"""Health as the database shows it: the outbox by queue, processes, canaries and timers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from django.apps import apps
from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet

from backend.core.compiled_queries import Ago, compiled, run_queries
from backend.core.statements import Row
from backend.ops.models import QUEUES, AttemptCount, Canary, IncidentKind, Process, ProcessRole, QueueIncident, Timer
from backend.outbox import outlets, patience
from backend.outbox.models import GIVEN_UP, Message, MessageState, Outlet, OutletState, PausedQueue, Queue

SILENT_AFTER = timedelta(seconds=30)  # six missed signs of life; the longest single effect takes 15 s
MISSED_FOR = timedelta(hours=1)  # a process that fell silent is missed that long; then its machine is taken for gone
STALE_AFTER = timedelta(seconds=40)  # of a canary that is sent every 5 s; a drain in hand may take 35 s
LATE_AFTER = timedelta(seconds=15)  # past a timer's due time: longer than a sweep of 200 bookings
DOWN_AFTER = timedelta(seconds=90)  # past it: longer than Celery lets any task run
TIMER_TASKS = "workers.timers."
HELPERS = ("canary", "run_asked")  # tasks of the timers queue that keep no deadline


@dataclass(frozen=True)
class Pause:
    """Who paused a queue, since when and why."""

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
    refusal: Pause | None  # the provider's, of our account


@dataclass(frozen=True)
class ProcessHealth:
    """A worker, or beat."""

    name: str
    role: ProcessRole
    seen_at: datetime
    age: timedelta  # either way: a sign from a time to come is of before the clock was set back
    is_alive: bool
    clock_ahead: timedelta | None  # of the database's clock; None: it did not say


@dataclass(frozen=True)
class Incidents:
    """How often something befell a queue of wake-ups, and when last."""

    queue: ProcessRole
    kind: IncidentKind
    count: int
    last_at: datetime
    age: timedelta


@dataclass(frozen=True)
class CanaryHealth:
    """A queue's last canary; `age` is None when none ever came."""

    queue: ProcessRole
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
class TimerHealth:
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
    asked_at: datetime | None
    runs_succeeded: int
    runs_failed: int
    rows_changed: int
    rows_failed: int
    due_at: datetime | None
    lateness: timedelta


@dataclass(frozen=True)
class Health:
    """What readiness is judged by."""

    outbox: tuple[OutboxQueue, ...]
    processes: tuple[ProcessHealth, ...]
    canaries: tuple[CanaryHealth, ...]
    timers: tuple[TimerHealth, ...]
    incidents: tuple[Incidents, ...]
    attempts: Mapping[tuple[str, str], int]  # by queue and result, since the beginning
    fallback: Pause | None  # in use: the first mail provider takes nothing since then

    @property
    def beat_seen_at(self) -> datetime | None:
        """Beat's last tick."""
        return max((process.seen_at for process in self.processes if process.role == ProcessRole.BEAT), default=None)

    def alive(self, role: ProcessRole) -> int:
        """How many processes of this role are at work."""
        return sum(process.role == role and process.is_alive for process in self.processes)


def read_health(*, now: datetime) -> Health:
    """Ten queries, asked at once."""
    of_the_outbox = (_waiting, _dead, _pauses, _attempts, _outlets)
    waiting, dead, pauses, attempts, refused, signs, canaries, runs, entries, incidents = run_queries(
        *of_the_outbox, _processes, _last_canaries, _last_runs, _schedule, _incidents, now=now
    )
    return Health(
        _outbox(waiting, dead, pauses, now),
        _signs(signs, now),
        _canaries(canaries, now),
        _timers(entries, runs, now),
        _incidents_of(incidents, now),
        {(queue, result): count for queue, result, count in attempts},
        _fallback(refused, now),
    )


def processes(*, now: datetime) -> tuple[ProcessHealth, ...]:
    """Those that are at work or missed, in the order of the roles."""
    [rows] = run_queries(_processes, now=now)
    return _signs(rows, now)


# -- the outbox --------------------------------------------------------------------------------------------------------


def _outbox(
    waiting_rows: list[Row], dead_rows: list[Row], paused_rows: list[Row], now: datetime
) -> tuple[OutboxQueue, ...]:
    waiting = {queue: counted for queue, *counted in waiting_rows}
    dead = {queue: counted for queue, *counted in dead_rows}
    pauses = {queue: Pause(by, at, reason) for queue, by, at, reason, retry_at in paused_rows if retry_at is None}
    refusals = {queue: Pause(by, at, reason) for queue, by, at, reason, retry_at in paused_rows if retry_at}
    found = []
    for queue in Queue:
        rows, ready, leased, backing_off, oldest_ready, oldest_owed = waiting.get(queue, (0, 0, 0, 0, None, None))
        dead_count, oldest_dead = dead.get(queue, (0, None))
        found.append(
            OutboxQueue(
                name=queue,
                ready=ready,
                leased=leased,
                backing_off=backing_off,
                scheduled=rows - ready - leased - backing_off,
                dead=dead_count,
                oldest_ready_age=since(oldest_ready, now),
                oldest_owed_age=since(oldest_owed, now),
                oldest_dead_age=since(oldest_dead, now),
                pause=pauses.get(queue),
                refusal=refusals.get(queue),
            )
        )
    return tuple(found)


@compiled
def _waiting() -> QuerySet[Message, Any]:
    due, leased = Q(not_before__lte=Ago()), Q(lease_expires_at__gt=Ago())
    ready = Q(next_attempt_at__lte=Ago()) & (Q(lease_expires_at=None) | Q(lease_expires_at__lte=Ago()))
    # what was told "not yet" is no failure and no delay; what is tried for days belongs to who is called
    awake = due & Q(is_snoozed=False)
    backing_off = awake & Q(next_attempt_at__gt=Ago(), lease_expires_at=None)
    rows = Message.objects.filter(state=MessageState.WAITING).order_by().values_list("queue")
    return rows.annotate(
        rows=Count("pk"),
        ready=Count("pk", filter=ready),
        leased=Count("pk", filter=leased),
        backing_off=Count("pk", filter=backing_off),
        oldest_ready=Min("next_attempt_at", filter=ready),
        oldest_owed=Min("not_before", filter=awake & ~patience.OF_DAYS),
    )


@compiled
def _dead() -> QuerySet[Message, Any]:
    rows = Message.objects.filter(state__in=GIVEN_UP).order_by().values_list("queue")
    return rows.annotate(Count("pk"), Min("settled_at"))


@compiled
def _pauses() -> QuerySet[PausedQueue, Any]:
    return PausedQueue.objects.values_list("queue", "paused_by", "paused_at", "reason", "retry_at")


@compiled
def _outlets() -> QuerySet[OutletState, Any]:
    refused = OutletState.objects.filter(outlet=Outlet.FIRST, refused_since__isnull=False)
    return refused.values_list("refused_since", "reason")


def _fallback(rows: list[Row], now: datetime) -> Pause | None:
    """Where there is one, and the first took nothing for long enough."""
    in_use = (row for row in rows if settings.EMAIL_FALLBACK and abs(now - row[0]) >= outlets.FALLBACK_AFTER)
    return next((Pause("", since, reason) for since, reason in in_use), None)


# -- processes and canaries --------------------------------------------------------------------------------------------


def _signs(rows: list[Row], now: datetime) -> tuple[ProcessHealth, ...]:
    order = list(ProcessRole)
    return tuple(
        ProcessHealth(name, ProcessRole(role), seen_at, abs(now - seen_at), abs(now - seen_at) <= SILENT_AFTER, ahead)
        for name, role, seen_at, ahead in sorted(rows, key=lambda row: (order.index(ProcessRole(row[1])), row[0]))
    )


@compiled
def _processes() -> QuerySet[Process, Any]:
    rows = Process.objects.filter(seen_at__gt=Ago(lambda: MISSED_FOR)).order_by()
    return rows.values_list("name", "role", "seen_at", "clock_ahead")


def _incidents_of(rows: list[Row], now: datetime) -> tuple[Incidents, ...]:
    return tuple(
        Incidents(ProcessRole(queue), IncidentKind(kind), count, last_at, now - last_at)
        for queue, kind, count, last_at in rows
    )


@compiled
def _attempts() -> QuerySet[AttemptCount, Any]:
    return AttemptCount.objects.order_by().values_list("queue", "result", "count")


@compiled
def _incidents() -> QuerySet[QueueIncident, Any]:
    return QueueIncident.objects.order_by("queue", "kind").values_list("queue", "kind", "count", "last_at")


def _canaries(rows: list[Row], now: datetime) -> tuple[CanaryHealth, ...]:
    last = {queue: instants for queue, *instants in rows}
    found = []
    for queue in QUEUES:
        sent_at, arrived_at = last.get(queue, (None, None))
        age = abs(now - arrived_at) if arrived_at else None  # either way, as a process's
        travel = since(sent_at, arrived_at) if arrived_at else None
        found.append(CanaryHealth(queue, arrived_at, age, travel, is_stale=age is None or age > STALE_AFTER))
    return tuple(found)


@compiled
def _last_canaries() -> QuerySet[Canary, Any]:
    return Canary.objects.order_by().values_list("queue", "sent_at", "arrived_at")


# -- timers ------------------------------------------------------------------------------------------------------------


class _Run(NamedTuple):
    """The last run of a timer, as its row has it."""

    started_at: datetime | None = None
    finished_at: datetime | None = None
    succeeded_at: datetime | None = None
    examined: int = 0
    changed: int = 0
    failed: int = 0
    error: str = ""
    asked_at: datetime | None = None
    runs_succeeded: int = 0
    runs_failed: int = 0
    rows_changed: int = 0
    rows_failed: int = 0


def _timers(entries: list[Row], run_rows: list[Row], now: datetime) -> tuple[TimerHealth, ...]:
    runs = {name: _Run(*run) for name, *run in run_rows}
    found = []
    for entry, task, is_enabled, every, period in entries:
        name = task.removeprefix(TIMER_TASKS)
        if name in HELPERS:
            continue
        span = timedelta(**{period: every}) if period else None
        found.append(_timer(name, entry, runs.get(name, _Run()), span, is_enabled, now))
    return tuple(found)


@compiled
def _last_runs() -> QuerySet[Timer, Any]:
    return Timer.objects.order_by().values_list("name", *_Run._fields)


@compiled
def _schedule() -> QuerySet[Any, Any]:
    """As it stands in the database, an operator's edits included; no module of ours imports it."""
    table = apps.get_model("django_celery_beat", "PeriodicTask")
    rows: QuerySet[Any, Any] = table.objects.filter(task__startswith=TIMER_TASKS).order_by("id")
    return rows.values_list("name", "task", "enabled", "interval__every", "interval__period")


def _timer(name: str, entry: str, run: _Run, every: timedelta | None, is_enabled: bool, now: datetime) -> TimerHealth:
    reference = run.succeeded_at or run.started_at  # one that never came to its end gets late like any other
    due_at = reference + every if reference and every and is_enabled else None
    lateness = max(timedelta(0), now - due_at) if due_at else timedelta(0)
    state = _state(is_enabled, run.started_at is not None, lateness)
    return TimerHealth(name, entry, state, every, *run, due_at=due_at, lateness=lateness)


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
