"""A healthy system as the operator's snapshot sees it, and ways to make it unwell by moving its rows in time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Model
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from backend.core import correlation
from backend.ops import findings, heartbeats, snapshot
from backend.ops.findings import Level
from backend.ops.models import QUEUES, Canary, Process, ProcessRole, Timer
from backend.ops.snapshot import Snapshot
from backend.outbox import messages
from backend.outbox.models import Message, Queue
from config import schedule as table
from tests.support import holder
from workers import schedule
from workers.models import InstalledDefault

NODE = "test"


INSTALLED = (IntervalSchedule, PeriodicTask, InstalledDefault)
_installed: dict[type[Model], list[dict[str, Any]]] = {}  # column: value of each row


def install_schedule() -> None:
    """What `schedule.install` leaves in an empty database. It asks for each entry, which a hundred tests need not."""
    if any(model._default_manager.exists() for model in INSTALLED):
        schedule.install(table.TABLE)
    elif _installed:
        for model, rows in _installed.items():
            model._default_manager.bulk_create(model(**row) for row in rows)
        PeriodicTasks.update_changed()
    else:
        schedule.install(table.TABLE)
        _installed.update((model, list(model._default_manager.values())) for model in INSTALLED)


def healthy(*, now: datetime) -> None:
    """Every process gave a sign, every canary came, every timer ran, a moment ago."""
    install_schedule()
    for role in ProcessRole:
        heartbeats.record_heartbeat(f"{role.value}@{NODE}", role, now=now, clock_ahead=timedelta(0))
    for queue in QUEUES:
        heartbeats.record_canary(queue, sent_at=now, now=now)
    for task, _ in table.TABLE.values():
        if task.startswith("workers.timers."):
            with heartbeats.timer_run(task.rpartition(".")[2], clock=lambda: now):
                pass


def busy(*, now: datetime) -> None:
    """Healthy, with something behind it: a sweep that changed rows, one that an operator asked for, one in trouble."""
    healthy(now=now)
    sweeps = (("lapse_drafts", 3, 0, ""), ("purge_links", 40, 0, "staff:asha"), ("ask_after_attempts", 2, 1, ""))
    for timer, examined, failed, asked_by in sweeps:
        correlation.begin(task=f"workers.timers.{timer}")
        with heartbeats.timer_run(timer, clock=lambda: now, asked_by=asked_by) as run:
            run.examined, run.changed, run.failed = examined, examined - failed, failed


def silent(role: ProcessRole, for_span: timedelta) -> None:
    """The processes of a role gave their last sign that much earlier: killed or frozen, it looks the same."""
    for process in Process.objects.filter(role=role):
        heartbeats.record_heartbeat(process.name, role, now=process.seen_at - for_span)


def stale(queue: ProcessRole, for_span: timedelta) -> None:
    """Its last canary came that much earlier."""
    canary = Canary.objects.get(pk=queue)
    heartbeats.record_canary(queue, sent_at=canary.sent_at, now=canary.arrived_at - for_span)


def late(timer: str, for_span: timedelta) -> None:
    """Its last run that succeeded began that much earlier."""
    row = Timer.objects.get(pk=timer)
    Timer.objects.filter(pk=timer).update(
        started_at=row.started_at - for_span, succeeded_at=row.succeeded_at - for_span
    )


def due_message(key: str = "1", *, now: datetime, **fields: object) -> Message:
    """A row of the outbox; a mail unless told otherwise."""
    given = {"queue": Queue.MAIL, "kind": "booking_approved", "recipient": "asha@example.org", **fields}
    with transaction.atomic():
        messages.emit(dedupe_key=key, now=now, **given)
    return Message.objects.get(dedupe_key=key)


def dead_letter(key: str = "1", *, now: datetime, error: str = "SMTP 550", **fields: object) -> Message:
    """A dead letter."""
    row = due_message(key, now=now, **fields)
    [claimed] = [found for found in messages.claim(row.queue, now=now) if found.pk == row.pk]
    holder.give_up(claimed, error, now=now)
    return Message.objects.get(pk=row.pk)


def take(now: datetime) -> Snapshot:
    return snapshot.take_snapshot(now=now)


def degraded(now: datetime) -> list[str]:
    """What readiness names, the broker apart: these tests have none."""
    return [name for name in findings.components(findings.judge(take(now)), Level.DEGRADED) if name != "broker"]
