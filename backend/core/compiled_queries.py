"""Queries that are asked again and again: written once by Django, and from then on only bound to their values.

Django takes three times as long to write them as they take to run. A function that returns a queryset becomes a query
that is written at its first use, with a place for each value that differs from one time to the next:

    @compiled
    def _of_client() -> QuerySet[Booking]:
        return Booking.objects.filter(client=Given("client"), due_at__lte=Ago())

    found = _of_client.rows(client=7, now=timezone.now())

Several can be asked together (`run_queries`), also with other statements (`core/statements.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from django.db import connection
from django.db.models import DateTimeField, Expression, Field, Model, QuerySet
from django.db.models.query import ModelIterable, get_related_populators
from django.db.models.sql.compiler import SQLCompiler

from backend.core import statements
from backend.core.statements import Row, Statement, ask, run


class Given(Expression):
    """The value of this name, which is given each time; an instant is an aware datetime."""

    def __init__(self, name: str, output_field: Field[Any, Any] | None = None) -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, *_: Any, **__: Any) -> tuple[str, tuple[Any, ...]]:
        """A place in the text, and this itself as what is to be put there."""
        return "%s", (self,)

    def value(self, given: Mapping[str, Any]) -> Any:
        """What is put there. Raises KeyError when it was not given."""
        value = given[self.name]
        return connection.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


class Ago(Given):
    """`now`, less a span, which is asked for each time: `Ago(lambda: policy.DRAFT_LIFETIME)`.

    A span is added and taken away as with an instant, so that one function words a query for either; it is read once.
    """

    def __init__(self, span: Callable[[], timedelta] = timedelta) -> None:
        super().__init__("now", DateTimeField())
        self.span = span

    def __add__(self, span: timedelta) -> Ago:  # type: ignore[override]  # an instant takes nothing else
        return self - -span

    def __sub__(self, span: timedelta) -> Ago:  # type: ignore[override]
        return Ago(lambda: self.span() + span)

    def value(self, given: Mapping[str, Any]) -> Any:
        """The instant."""
        return super().value({"now": given["now"] - self.span()})


Instant: TypeAlias = datetime | Ago  # of a query that is asked now, or written for later


class _Written(NamedTuple):
    sql: str
    values: Row
    converters: dict[int, Any]
    build: Callable[[Row], Any] | None  # an instance of a row; None where rows stay tuples


class compiled:  # noqa: N801  # a decorator
    """What the function returns may depend on nothing but what is `Given`."""

    def __init__(self, build: Callable[[], QuerySet[Any, Any]]) -> None:
        self._build = build

    @cached_property
    def _written(self) -> _Written:
        rows = self._build()
        compiler = rows.query.get_compiler(connection.alias)
        sql, values = compiler.as_sql()
        converters = compiler.get_converters([column for column, *_ in compiler.select])
        return _Written(sql, values, converters, _instances(compiler) if _is_of_models(rows) else None)

    @property
    def sql(self) -> str:
        """With a place for each of `values`."""
        return self._written.sql

    def values(self, given: Mapping[str, Any]) -> Iterator[Any]:
        """What is bound to its places."""
        return (value.value(given) if isinstance(value, Given) else value for value in self._written.values)

    def converted(self, rows: list[Row]) -> list[Any]:
        """As the queryset would give them: instances of its model, or tuples. Most columns need no conversion."""
        _, _, converters, build = self._written
        values = [_converted(row, converters) for row in rows] if converters else rows
        return values if build is None else [build(row) for row in values]

    def statement(self, **given: Any) -> Statement[list[Any]]:
        """To be sent with others; its answer is what it finds. Raises KeyError for a value that was not given."""
        return Statement(self._written.sql, list(self.values(given)), lambda cursor: self.converted(cursor.fetchall()))

    def rows(self, **given: Any) -> list[Any]:
        """What it finds. Raises what the queryset would raise, and KeyError for a value that was not given."""
        return ask(self.statement(**given))

    def first(self, **given: Any) -> Any:
        """The first of them, or None. The queryset says how many are read."""
        return next(iter(self.rows(**given)), None)


def run_queries(*queries: compiled, **given: Any) -> list[list[Any]]:
    """The rows of each, in one round trip where the database takes many statements at once."""
    return run(*(query.statement(**given) for query in queries))


def any_rows(*queries: compiled, **given: Any) -> list[bool]:
    """Whether each finds anything, in one statement."""
    return [bool(found) for found in _in_one("EXISTS ({})", queries, given)]


def first_values(*queries: compiled, **given: Any) -> list[Any]:
    """The one value that each finds, or None, in one statement; as the database gives it: SQLite an instant as text."""
    return list(_in_one("({})", queries, given))


def _in_one(form: str, queries: tuple[compiled, ...], given: Mapping[str, Any]) -> Row:
    values = chain.from_iterable(query.values(given) for query in queries)
    sql = f"SELECT {', '.join(form.format(query.sql) for query in queries)}"
    [row] = ask(Statement(sql, list(values), statements.rows))
    return row


def _is_of_models(rows: QuerySet[Any, Any]) -> bool:
    return rows._iterable_class is ModelIterable


def _instances(compiler: SQLCompiler) -> Callable[[Row], Model]:
    """What makes an instance of a row, with what it is joined to and annotated with, as a queryset does."""
    info = compiler.klass_info
    columns = info["select_fields"]
    begin, end = columns[0], columns[-1] + 1
    names = [column.target.attname for column, *_ in compiler.select[begin:end]]
    annotations = list(compiler.annotation_col_map.items())
    related = get_related_populators(info, compiler.select, connection.alias)  # type: ignore[call-arg]  # the stubs know a later Django

    def build(row: Row) -> Model:
        made: Model = info["model"].from_db(connection.alias, names, row[begin:end])
        for populator in related:
            populator.populate(row, made)
        for name, position in annotations:
            setattr(made, name, row[position])
        return made

    return build


def _converted(row: Row, converters: dict[int, Any]) -> Row:
    values = list(row)
    for position, (functions, expression) in converters.items():
        for function in functions:
            values[position] = function(values[position], expression, connection)
    return tuple(values)
