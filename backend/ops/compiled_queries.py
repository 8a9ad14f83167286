"""Queries that every look asks alike: compiled once, and asked together.

Django takes three times as long to write them as they take to run, and the way to the database and back costs most of
the rest. A function that returns a queryset of values becomes a query that is written at its first use:

    @compiled
    def _overdue() -> QuerySet[Booking, Any]:
        return Booking.objects.filter(due_at__lte=Ago()).values_list("pk", "due_at")

    overdue, dead = ask(_overdue, _dead, now=timezone.now())
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import Any, TypeAlias

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import DateTimeField, Expression, QuerySet

Row: TypeAlias = tuple[Any, ...]


class Ago(Expression):
    """The instant of the look, less a span, which is asked for at each look: `Ago(lambda: policy.DRAFT_LIFETIME)`."""

    output_field = DateTimeField()

    def __init__(self, span: Callable[[], timedelta] = timedelta) -> None:
        super().__init__()
        self.span = span

    def as_sql(self, *_: Any, **__: Any) -> tuple[str, tuple[Any, ...]]:
        """A place in the text, and this itself as what is to be put there."""
        return "%s", (self,)


class compiled:  # noqa: N801  # a decorator
    """What the function returns may depend on nothing but the instant, and on that through `Ago` alone."""

    def __init__(self, build: Callable[[], QuerySet[Any, Any]]) -> None:
        self._build = build

    @cached_property
    def _written(self) -> tuple[str, Row, dict[int, Any]]:
        compiler = self._build().query.get_compiler(connection.alias)
        sql, values = compiler.as_sql()
        return sql, values, compiler.get_converters([column for column, *_ in compiler.select])

    @property
    def sql(self) -> str:
        """With a place for each of `values`."""
        return self._written[0]

    def values(self, now: datetime) -> Iterator[Any]:
        """As of `now`."""
        instant = connection.ops.adapt_datetimefield_value
        return (instant(now - value.span()) if isinstance(value, Ago) else value for value in self._written[1])

    def converted(self, rows: list[Row]) -> list[Row]:
        """As the queryset would give them. PostgreSQL's instants need nothing; SQLite keeps them as text."""
        converters = self._written[2]
        return [_converted(row, converters) for row in rows] if converters else rows


def run_queries(*queries: compiled, now: datetime) -> list[list[Row]]:
    """The rows of each, in one round trip where the database takes many statements at once."""
    with connection.cursor() as cursor:
        if not _takes_many():
            return [_asked(cursor, query, now) for query in queries]
        values = chain.from_iterable(query.values(now) for query in queries)
        cursor.execute(";\n".join(query.sql for query in queries), list(values))
        found = []
        for query in queries:
            found.append(query.converted(cursor.fetchall()))
            cursor.nextset()
        return found


def _takes_many() -> bool:
    """PostgreSQL, unless DATABASE_URL wants it to bind the values itself: then each statement is prepared alone."""
    return connection.vendor == "postgresql" and not connection.settings_dict["OPTIONS"].get("server_side_binding")


def _asked(cursor: CursorWrapper, query: compiled, now: datetime) -> list[Row]:
    cursor.execute(query.sql, list(query.values(now)))
    return query.converted(cursor.fetchall())


def _converted(row: Row, converters: dict[int, Any]) -> Row:
    values = list(row)
    for position, (functions, expression) in converters.items():
        for function in functions:
            values[position] = function(values[position], expression, connection)
    return tuple(values)
