"""Waits for the database end: which limits are in force, and what one that ended looks like.

The limits stand in config/settings/database.py. An ended wait is no bug. Whoever serves people does not wait once more
but tells them to try again in a moment; workers come back to the row by themselves.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import InterfaceError, OperationalError, connection

RETRY_AFTER = timedelta(seconds=5)  # intents take milliseconds: whoever held the row is most likely through by then
RETRY_HEADER = {"Retry-After": str(int(RETRY_AFTER.total_seconds()))}

# PostgreSQL manual, appendix A: lock_not_available, query_canceled, idle_in_transaction_session_timeout
_ENDED = {"55P03", "57014", "25P03"}
_SQLITE_BUSY = 5  # another connection holds the file: https://www.sqlite.org/rescode.html#busy


def is_timeout(error: BaseException) -> bool:
    """Whether `error` says that a wait reached its limit. What was intended in that transaction was not done."""
    cause = error.__cause__
    busy = getattr(cause, "sqlite_errorcode", 0) & 0xFF  # the upper bits say more than we ask
    return getattr(cause, "sqlstate", None) in _ENDED or busy == _SQLITE_BUSY


def is_unavailable(error: BaseException) -> bool:
    """Whether the database cannot be asked now: a wait ended, or it does not answer at all."""
    return isinstance(error, (OperationalError, InterfaceError)) or is_timeout(error)


def in_force(names: list[str]) -> dict[str, timedelta]:
    """PostgreSQL's limits on this connection; zero: none. One query. SQLite has no such limits."""
    if connection.vendor != "postgresql":
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting::int FROM pg_settings WHERE name = ANY(%s) ORDER BY name", [names])
        return {name: timedelta(milliseconds=value) for name, value in cursor.fetchall()}
