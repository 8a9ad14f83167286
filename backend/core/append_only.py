"""Tables that the database itself keeps append-only, by triggers: installed after every migration, checked at start.

SQLite drops a table's triggers when a later migration rebuilds it, silently; hence after every migration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connections

_SQLITE = """
CREATE TRIGGER IF NOT EXISTS {name}_refuses_{verb} BEFORE {verb} ON {table} {when}
BEGIN SELECT RAISE(ABORT, '{sentence}'); END
"""
_SQLITE_IS_YOUNG = "WHEN NOT coalesce(julianday(OLD.at) < julianday('now', '-{days} days'), 0)"
_POSTGRESQL = """
CREATE OR REPLACE FUNCTION {name}_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN {expires} RAISE EXCEPTION '{sentence}'; END $$;
CREATE OR REPLACE TRIGGER {name}_is_append_only BEFORE UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION {name}_is_append_only();
CREATE OR REPLACE TRIGGER {name}_is_never_emptied BEFORE TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION {name}_is_append_only();
"""
_POSTGRESQL_EXPIRES = (
    "IF TG_OP = 'DELETE' THEN IF OLD.at < now() - interval '{days} days' THEN RETURN OLD; END IF; END IF;"
)


@dataclass(frozen=True)
class Guard:
    """The triggers of one table. What is older than `kept`, by the database's clock, may be deleted; else nothing."""

    table: str
    name: str  # how its triggers begin
    sentence: str  # that refuses
    kept: timedelta | None = None

    def install(self, *, using: str = "default", **_signal: Any) -> None:
        """Idempotent. Does nothing while the table does not exist, as after a backward migration."""
        connection = connections[using]
        if not self.is_there(using):
            return
        with connection.cursor() as cursor:
            for statement in self._statements(connection.vendor):
                cursor.execute(statement)

    def is_there(self, using: str = "default") -> bool:
        """Whether the table exists."""
        return self.table in connections[using].introspection.table_names()

    def is_missing(self, using: str = "default") -> bool:
        """Whether the table stands unguarded."""
        connection = connections[using]
        query = (
            "SELECT count(*) FROM pg_trigger WHERE tgname = ANY(%s) AND tgenabled = 'O'"
            if connection.vendor == "postgresql"
            else "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name IN (%s, %s)"
        )
        names = list(self.triggers(connection.vendor))
        with connection.cursor() as cursor:
            cursor.execute(query, [names] if connection.vendor == "postgresql" else names)
            found: int = cursor.fetchone()[0]
        return found < len(names)

    def triggers(self, vendor: str) -> tuple[str, str]:
        """Their names."""
        if vendor == "postgresql":
            return f"{self.name}_is_append_only", f"{self.name}_is_never_emptied"
        return f"{self.name}_refuses_update", f"{self.name}_refuses_delete"

    def _statements(self, vendor: str) -> Iterator[str]:
        words = {"name": self.name, "table": self.table, "sentence": self.sentence}
        days = self.kept.days if self.kept else 0
        if vendor == "postgresql":
            yield _POSTGRESQL.format(**words, expires=_POSTGRESQL_EXPIRES.format(days=days) if days else "")
            return
        for verb in ("update", "delete"):
            if days:  # a changed span replaces the old one
                yield f"DROP TRIGGER IF EXISTS {self.name}_refuses_{verb}"
            when = _SQLITE_IS_YOUNG.format(days=days) if days and verb == "delete" else ""
            yield _SQLITE.format(**words, verb=verb, when=when)
