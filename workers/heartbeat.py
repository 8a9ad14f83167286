"""Signs of life: each worker writes that it is there while it works, and takes its sign down when it stops properly."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from backend.core import waits
from backend.ops import heartbeats
from backend.ops.models import Role

log = logging.getLogger(__name__)

RECORD_EVERY = timedelta(seconds=5)  # a sixth of the silence after which a process counts as gone
_said_at: dict[Role, datetime] = {}


def record(role: Role) -> None:
    """This process is at work. One short UPDATE, at most every SAY_EVERY."""
    now, said_at = timezone.now(), _said_at.get(role)
    if said_at is not None and abs(now - said_at) < RECORD_EVERY:  # a clock that was set back must not silence us
        return
    try:
        heartbeats.record_heartbeat(name_of(role), role, now=now)
    except DatabaseError as error:
        if not waits.has_ended(error):
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


def name_of(role: Role) -> str:
    """The process's name in Celery, in our tables and in metrics."""
    return f"{role.value}@{settings.NODE_NAME}"
