"""The triggers that make the ledger append-only, installed after every migration and checked at start.

SQLite drops a table's triggers when a later migration rebuilds it, silently; hence after every migration.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

TABLE = "bookings_ledgerentry"
_SQLITE = """
CREATE TRIGGER IF NOT EXISTS ledger_refuses_{verb} BEFORE {verb} ON bookings_ledgerentry
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
"""
_POSTGRESQL = """
CREATE OR REPLACE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$;
CREATE OR REPLACE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE ON bookings_ledgerentry
FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only();
CREATE OR REPLACE TRIGGER ledger_is_never_emptied BEFORE TRUNCATE ON bookings_ledgerentry
FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
"""


def install_triggers(*, using: str = "default", **_signal: Any) -> None:
    """Idempotent. Does nothing while the table does not exist, as after a backward migration."""
    connection = connections[using]
    if TABLE not in connection.introspection.table_names():
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRESQL)
        else:
            for verb in ("update", "delete"):
                cursor.execute(_SQLITE.format(verb=verb))


def triggers_missing(using: str = "default") -> bool:
    """Whether the ledger stands unguarded."""
    connection = connections[using]
    query = (
        "SELECT count(*) / 2 FROM pg_trigger WHERE tgname LIKE 'ledger_is_%' AND tgenabled = 'O'"
        if connection.vendor == "postgresql"
        else "SELECT count(*) / 2 FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'ledger_refuses_%'"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return not cursor.fetchone()[0]
