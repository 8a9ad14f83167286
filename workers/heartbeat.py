"""Heartbeats: each worker writes one while it works, and removes it when it stops properly."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from backend.core import database_timeouts
from backend.ops import heartbeats
from backend.ops.models import ProcessRole

log = logging.getLogger(__name__)

RECORD_EVERY = timedelta(seconds=5)  # a sixth of the silence after which a process counts as gone
_said_at: dict[ProcessRole, datetime] = {}


def record(role: ProcessRole) -> None:
    """Write that this process is at work: one short UPDATE, at most every RECORD_EVERY."""
    now, said_at = timezone.now(), _said_at.get(role)
    if said_at is not None and abs(now - said_at) < RECORD_EVERY:  # a clock that was set back must not silence us
        return
    try:
        heartbeats.record_heartbeat(name_of(role), role, now=now)
    except DatabaseError as error:
        if not database_timeouts.is_timeout(error):
            raise
        log.warning("no sign of life: %s", type(error).__name__)  # the work goes on; the next sign comes soon
    _said_at[role] = now


def remove(name: str) -> None:
    """This process stops on purpose. Without a database it will be missed for a while, and that is all."""
    try:
        heartbeats.remove_heartbeat(name)
        connections.close_all()
    except (DatabaseError, InterfaceError) as error:
        log.warning("no farewell: %s", type(error).__name__)


def name_of(role: ProcessRole) -> str:
    """The process's name in Celery, in our tables and in metrics."""
    return f"{role.value}@{settings.NODE_NAME}"
