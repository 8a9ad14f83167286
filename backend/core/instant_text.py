"""Instants as the database writes them: text costs a fraction of a datetime, and many rows share a few hundred."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Aggregate, Func, TextField


class InstantText(Func):
    """One instant as text."""

    output_field = TextField()
    arity = 1

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """As JSON writes it, which no DateStyle of the server changes."""
        return self.as_sql(compiler, connection, template="to_json(%(expressions)s)#>>'{}'", **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="CAST(%(expressions)s AS TEXT)", **extra)


class InstantTexts(Aggregate):
    """All instants of a group as one text with commas."""

    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """Each instant as `InstantText` writes it."""
        return self.as_sql(compiler, connection, template="string_agg(to_json(%(expressions)s)#>>'{}', ',')", **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, template="group_concat(%(expressions)s)", **extra)


def parse_instant(written: str) -> datetime:
    """The instant that `InstantText` wrote, aware, in UTC."""
    return datetime.fromisoformat(written + "+00:00" if connection.vendor == "sqlite" else written)


def parse_instants(joined: str) -> list[datetime]:
    """The instants that `InstantTexts` wrote. SQLite stores UTC without an offset, so it is added here."""
    if connection.vendor == "sqlite":
        joined = joined.replace(",", "+00:00,") + "+00:00"
    return list(map(datetime.fromisoformat, joined.split(",")))
