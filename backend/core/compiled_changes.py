"""Changes of many rows by a statement that is written once, as `compiled_queries` writes questions.

    _ended = compiled_update(lambda: Link.objects.filter(booking__among=Given("bookings")), expires_at=Given("at"))

    _ended.run(bookings=[7, 8], at=now)

`among` takes however many ids as one value; `in` has a place for each, which both sides read one by one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from typing import Any

from django.db import connection
from django.db.models import F, Field, ForeignKey, Lookup, Model, QuerySet
from django.db.models.sql import DeleteQuery, UpdateQuery
from django.db.models.sql.compiler import SQLCompiler

from backend.core.compiled_queries import Given
from backend.core.statements import Row, Statement, ask


class GivenIds(Given):
    """A list of ids, for `among`."""

    def value(self, given: Any) -> Any:
        """As the database takes a list: an array, or JSON."""
        ids = list(given[self.name])
        return ids if connection.vendor == "postgresql" else json.dumps(ids)


@Field.register_lookup
@ForeignKey.register_lookup  # which has none of Field's
class Among(Lookup):
    """The column is one of a list that is one value."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, Any]:
        """PostgreSQL's array, or SQLite's JSON."""
        column, of_column = self.process_lhs(compiler, connection)
        given, of_given = self.process_rhs(compiler, connection)
        if connection.vendor == "postgresql":
            text = f"{column} = ANY({given}::bigint[])"
        else:
            text = f"{column} IN (SELECT value FROM json_each({given}))"  # noqa: S608 -- a name of ours and a place
        return text, [*of_column, *of_given]


class _Change:
    """What the function returns may depend on nothing but what is `Given`, as for `compiled`."""

    def __init__(self, build: Callable[[], QuerySet[Any, Any]]) -> None:
        self._build = build

    @cached_property
    def _written(self) -> tuple[str, Row]:
        sql, values = self._query(self._build()).get_compiler(connection.alias).as_sql()
        return sql, tuple(values)

    def _query(self, rows: QuerySet[Any, Any]) -> Any:
        raise NotImplementedError

    def statement(self, **given: Any) -> Statement[int]:
        """To be sent with others; its answer is how many rows it found. Raises KeyError for a value not given."""
        sql, values = self._written
        bound = [value.value(given) if isinstance(value, Given) else value for value in values]
        return Statement(sql, bound, lambda cursor: cursor.rowcount)

    def run(self, **given: Any) -> int:
        """How many rows it found. Raises KeyError for a value that was not given."""
        return ask(self.statement(**given))


class compiled_update(_Change):  # noqa: N801  # as `compiled`
    """As `update` of a queryset."""

    def __init__(self, build: Callable[[], QuerySet[Any, Any]], **values: object) -> None:
        super().__init__(build)
        self._values = values

    def _query(self, rows: QuerySet[Any, Any]) -> Any:
        query: Any = rows.order_by().query.chain(UpdateQuery)
        query.add_update_values(self._values)
        return query


class compiled_delete(_Change):  # noqa: N801
    """As `delete` of a queryset whose rows nothing refers to. Raises TypeError for others, and sends no signal."""

    def _query(self, rows: QuerySet[Any, Any]) -> Any:
        if rows.model._meta.related_objects:
            raise TypeError(f"rows refer to {rows.model._meta.label}")
        return rows.order_by().query.chain(DeleteQuery)


def update_alike(
    model: type[Model], ids: Sequence[int], values: Mapping[str, Any], *, grown: str = ""
) -> Statement[int]:
    """Gives all these rows the same values, and one more of a column of numbers; it answers how many there are.

    Raises TypeError for a text that its row has to seal.
    """
    query, columns = _alike(model, tuple(values), grown)
    return query.statement(
        ids=ids, **{column.name: column.get_db_prep_save(values[column.name], connection) for column in columns}
    )


@cache
def _alike(model: type[Model], names: tuple[str, ...], grown: str) -> tuple[compiled_update, list[Field[Any, Any]]]:
    columns: list[Field[Any, Any]] = [model._meta.get_field(name) for name in names]  # type: ignore[misc]
    given: dict[str, object] = {column.name: Given(column.name, column) for column in columns}
    if grown:
        given[grown] = F(grown) + 1
    return compiled_update(lambda: model._default_manager.filter(pk__among=GivenIds("ids")), **given), columns
