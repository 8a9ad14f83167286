"""PostgreSQL or SQLite, and how long anybody waits there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import dj_database_url

from backend.core import environment as env
from backend.core.environment import Misconfigured
from config.settings.deployment import VAR_DIR

DATABASE_URL = env.text(
    "DATABASE_URL",
    "PostgreSQL 15 or newer",
    shown_default="SQLite in `var/`",
    example="postgresql://app:secret@db.example.org/mindsettler",
)
DATABASE_POOL = env.integer(
    "DATABASE_POOL",
    "connections to PostgreSQL that the threads of a web process share; workers keep one each",
    default=8,
)
DATABASE_LIMITS_BY = env.choice(
    "DATABASE_LIMITS_BY",
    "who sets the limits of waits on PostgreSQL: each connection's options, or the role behind a transaction pooler, which refuses options",
    ("connection", "role"),
    default="connection",
)
DATABASE_WAITS = env.choice(
    "DATABASE_WAITS",
    "which limits this process has; `manage.py` sets `command`, whose limits are the COMMAND_ ones",
    ("online", "command"),
    default="online",
)


# PostgreSQL's settings for who serves people
_online = {
    # people wait for it; an intent holds its rows for milliseconds. SQLite's only lock is the whole file
    "lock_timeout": env.duration(
        "DATABASE_LOCK_TIMEOUT",
        "longest wait for a row, or for SQLite's file, that another transaction holds",
        default="3s" if DATABASE_URL else "20s",
        example="5s",
        shown_default="3s; 20s on SQLite",
        may_be_zero=False,
    ),
    # below the 20 s that web and workers have to stop
    "statement_timeout": env.duration(
        "DATABASE_STATEMENT_TIMEOUT", "longest statement", default="15s", may_be_zero=False
    ),
    # no transaction waits for anything outside, so this one's process is frozen or cut off, and others want its rows
    "idle_in_transaction_session_timeout": env.duration(
        "DATABASE_IDLE_TIMEOUT", "longest silence within a transaction", default="10s", may_be_zero=False
    ),
}
# and for a command
_command = {
    # who waits to change a table keeps all others from it meanwhile, so a command must not wait long either
    "lock_timeout": env.duration(
        "COMMAND_LOCK_TIMEOUT", "as DATABASE_LOCK_TIMEOUT, for commands", default="10s", may_be_zero=False
    ),
    # an index of a large table
    "statement_timeout": env.duration(
        "COMMAND_STATEMENT_TIMEOUT", "as DATABASE_STATEMENT_TIMEOUT, for commands", default="30m", may_be_zero=False
    ),
    # a command computes between two statements
    "idle_in_transaction_session_timeout": env.duration(
        "COMMAND_IDLE_TIMEOUT", "as DATABASE_IDLE_TIMEOUT, for commands", default="10m", may_be_zero=False
    ),
}
DATABASE_LIMITS = _command if (DATABASE_WAITS, DATABASE_LIMITS_BY) == ("command", "connection") else _online
COMMAND_LOCK_TIMEOUT = _command["lock_timeout"]


def _sqlite() -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": VAR_DIR / "db.sqlite3",
        # IMMEDIATE takes the write lock when a transaction begins; DEFERRED loses writers to "database is locked"
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": _online["lock_timeout"].total_seconds(),
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
        "TEST": {"NAME": VAR_DIR / "test.sqlite3"},
    }


def _postgresql() -> dict[str, Any]:
    env.refuse_raw_password("DATABASE_URL", DATABASE_URL, ("postgres", "pgsql", "postgresql"))
    try:
        database: dict[str, Any] = {**dj_database_url.parse(DATABASE_URL)}
    except (ValueError, KeyError) as _error:
        raise Misconfigured(
            "DATABASE_URL does not parse. Expected postgresql://user:password@host:port/name."
        ) from _error
    if database["ENGINE"] != "django.db.backends.postgresql":
        raise Misconfigured("DATABASE_URL must be postgresql://…; leave it unset for SQLite.")
    given = database.get("OPTIONS", {})  # what the URL says after its question mark
    if DATABASE_LIMITS_BY == "connection":
        # part of the connection's first packet: they cost no statement, and no later one can be met without them
        limits = [f"-c {name}={limit // timedelta(milliseconds=1)}" for name, limit in DATABASE_LIMITS.items()]
        given["options"] = " ".join([*limits, given.get("options", "")]).strip()
    else:
        database["DISABLE_SERVER_SIDE_CURSORS"] = True  # a cursor would outlive the pooler's transaction
    database["OPTIONS"] = {
        **given,
        "connect_timeout": 5,
        "application_name": "mindsettler",
    }
    if DATABASE_POOL:
        from backend.core.pooled_connections import PooledConnection  # psycopg, which others load late or not at all

        pool = {"min_size": 1, "max_size": DATABASE_POOL, "timeout": 5, "connection_class": PooledConnection}
        database["OPTIONS"]["pool"] = pool
    else:
        database["CONN_MAX_AGE"] = None  # workers and beat: one thread, one connection, kept
    database["CONN_HEALTH_CHECKS"] = True  # asked before each use: PostgreSQL may have restarted meanwhile
    return database


DATABASES = {"default": _postgresql() if DATABASE_URL else _sqlite()}
