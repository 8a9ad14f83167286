"""Rows stored by a statement whose text is made once for each table and set of columns, and from then on only bound.

They store what `bulk_create` and `save(update_fields=…)` store. Django writes the text anew each time, which takes
three times as long as it runs. No signal is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import cache
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.models import NOT_PROVIDED, Field, ForeignKey, JSONField, Model, fields
from django.db.models.base import ModelState
from django.db.models.expressions import DatabaseDefault

from backend.core.statements import Statement, ask, binds_here, literals

M = TypeVar("M", bound=Model)
Columns: TypeAlias = "tuple[Field[Any, Any], ...]"
ANY = "any"  # a unique column, whichever
CROWD = 10  # rows: of fewer, PostgreSQL takes longer to open lists than to read values


def new(model: type[M], **values: Any) -> M:
    """A row for `insert`, by the names of its columns: the model's own way takes long.

    A column that is not named gets its default. Raises TypeError for one that has none or makes it anew each time, for
    one that is not there, and for a text that is sealed.
    """
    usual, needed, settable = _columns(model)
    if not needed <= values.keys() <= settable:
        raise TypeError(f"{model._meta.label} needs {sorted(needed)}, takes {sorted(settable)}, got {sorted(values)}")
    made = model.__new__(model)
    made._state = ModelState()
    made.__dict__.update(usual, **values)
    return made


@cache
def _columns(model: type[Model]) -> tuple[dict[str, Any], frozenset[str], frozenset[str]]:
    """Defaults, the columns that must be named, and those that may be."""
    columns = model._meta.concrete_fields
    usual = {column.attname: _usual(column) for column in columns}
    usual = {name: value for name, value in usual.items() if value is not NOT_PROVIDED}
    guarded = {column.attname for column in columns if column.primary_key or hasattr(column, "sealed")}
    names = {column.attname for column in columns}
    return usual, frozenset(names - usual.keys()), frozenset(names - guarded)


def _usual(column: Field[Any, Any]) -> Any:
    if column.has_default():
        return NOT_PROVIDED if callable(column.default) else column.default
    if column.db_default is not NOT_PROVIDED:
        return NOT_PROVIDED if hasattr(column.db_default, "resolve_expression") else column.db_default
    return None if column.null or column.primary_key else NOT_PROVIDED


def insert(rows: Sequence[Model], *, unless_exists: str = "") -> bool:
    """Store new rows of one model in one statement, and set their ids; all rows have one before, or none.

    `unless_exists`, a unique column or ANY: rows that collide there are passed over. False: at least one was, and then
    no id is set. Raises IntegrityError for any other collision, and at commit for a foreign key of nothing.
    """
    return ask(inserting(rows, unless_exists=unless_exists))


def inserting(rows: Sequence[Model], *, unless_exists: str = "") -> Statement[bool]:
    """The same, to be sent with others."""
    database = connections[DEFAULT_DB_ALIAS]  # `django.db.connection` looks it up for each attribute
    begin, end, columns = _insert(type(rows[0]), unless_exists, _empty(rows), rows[0].pk is not None, database.vendor)
    is_crowd = len(rows) >= CROWD and database.vendor == "postgresql"
    places, values = (_by_column if is_crowd else _by_row)(rows, columns, database)

    def keep_ids(cursor: CursorWrapper) -> bool:
        ids = cursor.fetchall()
        if len(ids) < len(rows):
            return False
        for row, (id_,) in zip(rows, ids, strict=True):
            row.pk, row._state.adding, row._state.db = id_, False, database.alias
        return True

    return Statement(f"{begin} {places} {end}", values, keep_ids)


def _by_row(rows: Sequence[Model], columns: Columns, database: BaseDatabaseWrapper) -> tuple[str, list[Any] | None]:
    values = [[_stored(row, column, database, is_new=True) for column in columns] for row in rows]
    if binds_here(database):
        return f"VALUES {', '.join([_parenthesized(literals(row, database)) for row in values])}", None
    places = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * len(rows))
    return f"VALUES {places}", [value for row in values for value in row]


def _parenthesized(texts: Iterable[str]) -> str:
    return f"({', '.join(texts)})"


def _by_column(rows: Sequence[Model], columns: Columns, database: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
    """A list for each column, however many rows: to bind each value to a place of its own takes long on both sides.

    A value that all rows have is bound once, as most of those are that time writes.
    """
    places: list[str] = []
    once: list[Any] = []
    lists: list[tuple[str, list[Any]]] = []
    for column in columns:
        # without a length: a cast to `varchar(40)` would cut what is longer, and not refuse it
        kind = str(column.db_type(database)).partition("(")[0]
        values = _list(rows, column, database)
        if len(values) == 1 and (lists or column is not columns[-1]):  # one list says how many rows there are
            places.append(f"%s::{kind}")
            once.append(values[0])
        else:
            lists.append((kind, values if len(values) > 1 else values * len(rows)))
            places.append(f"list_{len(lists)}")
    names, kinds = zip(*((f"list_{number}", f"%s::{kind}[]") for number, (kind, _) in enumerate(lists, 1)), strict=True)
    text = f"SELECT {', '.join(places)} FROM unnest({', '.join(kinds)}) AS given ({', '.join(names)})"  # noqa: S608 -- names of types
    return text, [*once, *(values for _, values in lists)]


def _list(rows: Sequence[Model], column: Field[Any, Any], database: BaseDatabaseWrapper) -> list[Any]:
    """What is stored of each; or one value, if it is that of all and known to be."""
    first = rows[0].__dict__.get(column.attname)
    held = [row.__dict__.get(column.attname) for row in rows]
    plain = _BOUND_AS_IT_IS.get(type(column))
    if plain is not None and set(map(type, held)) == {plain}:
        return held if held.count(first) < len(held) else held[:1]
    is_same = _is_stored_alike(column) and all(value is first or (first == {} and value == {}) for value in held)
    return [_plain(_stored(row, column, database, is_new=True)) for row in (rows[:1] if is_same else rows)]


def _is_stored_alike(column: Field[Any, Any]) -> bool:
    """Whether what is stored depends on the value alone; a sealed text is bound to its row."""
    if type(column) is fields.DateTimeField:
        return not (column.auto_now or column.auto_now_add)
    return type(column) is JSONField or type(column) in _BOUND_AS_IT_IS


def _plain(value: Any) -> Any:
    """All texts of a list must be of one class; members of an enum are of their own."""
    return str(value) if isinstance(value, str) else value


def update(row: Model, names: Iterable[str]) -> None:
    """Store these columns of a row that the caller has locked. Raises RuntimeError when it is gone."""
    ask(updating(row, names))


def updating(row: Model, names: Iterable[str]) -> Statement[None]:
    """The same, to be sent with others."""
    database = connections[DEFAULT_DB_ALIAS]
    text, columns = _update(type(row), frozenset(names), database.vendor)

    def require_one(cursor: CursorWrapper) -> None:
        if cursor.rowcount != 1:
            raise RuntimeError(f"{row._meta.label} {row.pk} is gone")

    values = [*(_stored(row, column, database, is_new=False) for column in columns), row.pk]
    return Statement(text, values, require_one)


# What a column of exactly this class binds as it is, whatever the database; Django asks some four functions for it
_BOUND_AS_IT_IS: dict[type[Field[Any, Any]], type] = {
    fields.CharField: str,
    fields.TextField: str,
    fields.BooleanField: bool,
    fields.IntegerField: int,
    fields.BigIntegerField: int,
    fields.SmallIntegerField: int,
    fields.PositiveIntegerField: int,
    fields.PositiveSmallIntegerField: int,
    ForeignKey: int,  # none of ours points at anything but an id
}


# And what psycopg takes as it is; an instant, where the column does not make it
_BOUND_BY_PSYCOPG: dict[type[Field[Any, Any]], type] = {
    **_BOUND_AS_IT_IS,
    fields.DateTimeField: datetime,
    fields.DateField: date,
    fields.UUIDField: UUID,
}


def _stored(row: Model, column: Field[Any, Any], database: BaseDatabaseWrapper, *, is_new: bool) -> Any:
    plain = (_BOUND_BY_PSYCOPG if database.vendor == "postgresql" else _BOUND_AS_IT_IS).get(type(column))
    if plain is not None:
        value = row.__dict__.get(column.attname)
        if type(value) is plain and (not isinstance(value, datetime) or _is_plain_instant(value, column)):
            return value
        if value is None and column.attname in row.__dict__ and type(column) in _BOUND_AS_IT_IS:
            return value
    value = column.pre_save(row, is_new)
    if isinstance(value, DatabaseDefault):  # nobody set it, and the column has no other default
        value = column.db_default
        setattr(row, column.attname, value)
    return column.get_db_prep_save(value, database)


def _is_plain_instant(value: datetime, column: Any) -> bool:
    return value.tzinfo is not None and not _is_made_by_its_column(column)


def _is_made_by_its_column(column: Any) -> bool:
    return bool(getattr(column, "auto_now", False) or getattr(column, "auto_now_add", False))


def _empty(rows: Sequence[Model]) -> tuple[str, ...]:
    """Columns that are null in each row, as the database makes those that nobody names: half of a new booking's."""
    return tuple([name for name in _may_be_empty(type(rows[0])) if all(row.__dict__[name] is None for row in rows)])


@cache
def _may_be_empty(model: type[Model]) -> tuple[str, ...]:
    columns = model._meta.concrete_fields
    plain = (column for column in columns if column.null and column.db_default is NOT_PROVIDED)
    return tuple(column.attname for column in plain if not _is_made_by_its_column(column))


@cache
def _insert(
    model: type[Model], unless_exists: str, empty: tuple[str, ...], has_ids: bool, _vendor: str
) -> tuple[str, str, Columns]:
    """Before and after the places, and the columns. Raises TypeError for a table that only Django can write to."""
    meta, quote = model._meta, connections[DEFAULT_DB_ALIAS].ops.quote_name
    left_out = empty if has_ids else (*empty, meta.pk.attname)
    columns = tuple(column for column in meta.concrete_fields if column.attname not in left_out)
    if meta.parents or not meta.pk.db_returning or any(hasattr(column, "get_placeholder") for column in columns):
        raise TypeError(f"{meta.label} has columns that are not bound as they are")
    begin = f"INSERT INTO {quote(meta.db_table)} ({', '.join(_name(column) for column in columns)})"
    target = "" if unless_exists == ANY else f"({quote(unless_exists)}) "
    passes = f"ON CONFLICT {target}DO NOTHING " if unless_exists else ""
    return begin, f"{passes}RETURNING {_name(meta.pk)}", columns


@cache
def _update(model: type[Model], names: frozenset[str], _vendor: str) -> tuple[str, Columns]:
    meta = model._meta
    columns = tuple(column for column in meta.concrete_fields if {column.name, column.attname} & names)
    if len(columns) != len(names):
        raise TypeError(f"{meta.label} has no such columns: {sorted(names)}")
    places = ", ".join(f"{_name(column)} = %s" for column in columns)
    table = connections[DEFAULT_DB_ALIAS].ops.quote_name(meta.db_table)
    return f"UPDATE {table} SET {places} WHERE {_name(meta.pk)} = %s", columns  # noqa: S608 -- names of ours


def _name(column: Field[Any, Any]) -> str:
    return connections[DEFAULT_DB_ALIAS].ops.quote_name(str(column.column))
