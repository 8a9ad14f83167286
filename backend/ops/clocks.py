"""How far this machine's clock goes before the database's, which is the one clock that all processes share."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

TOLERATED = timedelta(seconds=5)  # a machine with a time service differs by milliseconds


def ahead() -> timedelta:
    """Negative when behind. Nothing on SQLite, whose clock is this machine's. Raises DatabaseError."""
    if connection.vendor != "postgresql":
        return timedelta(0)
    began = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime = cursor.fetchone()[0]
    ended: datetime = timezone.now()
    halfway = began + (ended - began) / 2
    return halfway - theirs


def is_skewed(ahead: timedelta | None) -> bool:
    """Whether it is more than a time service leaves."""
    return ahead is not None and abs(ahead) > TOLERATED
