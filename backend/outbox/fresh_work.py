"""Which queues owe something that has just become due: asked many times a second, so that nobody waits for a tick."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from backend.core.compiled_queries import Ago, compiled, first_values
from backend.outbox.models import Message, MessageState, Queue

FRESH = timedelta(seconds=5)  # longer than between two ticks, to which the rest is left; no look reads more than that


def queues_with_fresh_work(*, now: datetime) -> set[Queue]:
    """Those with a free row whose turn came within FRESH."""
    found = zip(Queue, first_values(*_looks, now=now), strict=True)
    return {queue for queue, turn in found if turn is not None}


def _newest(queue: Queue) -> Callable[[], QuerySet[Message, Any]]:
    # in the order of its index: else the planner may hope for a row early in the whole table
    free = Q(lease_expires_at=None) | Q(lease_expires_at__lte=Ago())
    waiting = Message.objects.filter(free, queue=queue, state=MessageState.WAITING).order_by("-next_attempt_at")
    fresh = waiting.filter(next_attempt_at__gt=Ago(lambda: FRESH), next_attempt_at__lte=Ago())
    return lambda: fresh.values_list("next_attempt_at")[:1]


_looks = [compiled(_newest(queue)) for queue in Queue]
