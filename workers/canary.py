"""Canaries: a message of beat goes through each queue to a worker, who writes that it came."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from celery import Task

from backend.ops import heartbeats
from backend.ops.broker import SENT_AT
from backend.ops.models import ProcessRole
from workers import heartbeat
from workers.app import app


@app.task(name="workers.mail.canary", bind=True)
def mail(task: Task[[], None]) -> None:
    """Through the mail queue."""
    _arrived(task, ProcessRole.MAIL)


@app.task(name="workers.payments.canary", bind=True)
def payments(task: Task[[], None]) -> None:
    """Through the payments queue."""
    _arrived(task, ProcessRole.PAYMENTS)


@app.task(name="workers.calls.canary", bind=True)
def calls(task: Task[[], None]) -> None:
    """Through the calls queue."""
    _arrived(task, ProcessRole.CALLS)


@app.task(name="workers.timers.canary", bind=True)
def timers(task: Task[[], None]) -> None:
    """Through the timers queue."""
    _arrived(task, ProcessRole.TIMERS)


def _arrived(task: Task[[], None], queue: ProcessRole) -> None:
    said: Any = task.request.get(SENT_AT)
    sent_at = datetime.fromtimestamp(said, tz=UTC) if said else None
    heartbeats.record_canary(queue, sent_at=sent_at, now=heartbeat.now_of_database())
    heartbeat.record(queue)
