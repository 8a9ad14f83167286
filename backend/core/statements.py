"""Statements that are sent together, because the way to the database and back costs as much as many of them take.

PostgreSQL takes the text of several at once and answers each, in their order; a later one sees what an earlier one did.
Another database is asked one after another, so that a caller need not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

T = TypeVar("T")
U = TypeVar("U")
Row: TypeAlias = tuple[Any, ...]
TOGETHER = ";\n"  # between statements of one text
_KEPT = "mindsettler_kept"  # of a connection
_MARK = re.compile("(%[%s])")


class Statement(NamedTuple, Generic[T]):
    """One, and what its answer is to whoever asked."""

    sql: str  # with a place (%s) for each value, and %% for a sign
    values: Sequence[Any] | None  # None: they are in the text, which is sent as it is
    read: Callable[[Any], T]  # of a cursor that stands at its answer; it asks the database nothing

    def then(self, made_of: Callable[[T], U]) -> Statement[U]:
        """The same statement, whose answer is what is made of this one's."""
        return Statement(self.sql, self.values, lambda cursor: made_of(self.read(cursor)))


def ask(statement: Statement[T]) -> T:
    """What it answers. Raises what the database raises."""
    [answer] = run(statement)
    return cast(T, answer)


def run(*statements: Statement[Any]) -> list[Any]:
    """What each answers. Raises what the first that fails raises, and then none of one trip was done."""
    if not statements:
        return []
    database = connections[DEFAULT_DB_ALIAS]  # `django.db.connection` looks it up for each attribute
    if not binds_here(database) or database.execute_wrappers or database.queries_logged:
        with database.cursor() as cursor:
            return _answers(statements, cursor, database)
    # past Django's cursor, which nobody listens to: 44 us of CPU a trip where that takes 61
    cursor = _kept(database).cursor
    database.validate_no_broken_transaction()
    with database.wrap_database_errors:
        return _answers(statements, cursor, database)


def _answers(statements: Sequence[Statement[Any]], cursor: Any, database: BaseDatabaseWrapper) -> list[Any]:
    if not binds_here(database):
        return [_answer(statement, cursor) for statement in statements]
    cursor.execute(TOGETHER.join([_text(statement, database) for statement in statements]))
    answers = []
    for statement in statements:
        answers.append(statement.read(cursor))
        cursor.nextset()
    return answers


def rows(cursor: Any) -> list[Row]:
    """Reads what a query found, as the database gives it."""
    return cast(list[Row], cursor.fetchall())


def binds_here(database: BaseDatabaseWrapper) -> bool:
    """PostgreSQL is sent text with the values in it, and of many statements at once.

    Unless DATABASE_URL wants it to bind the values itself: then each statement is prepared alone.
    """
    return database.vendor == "postgresql" and not database.settings_dict["OPTIONS"].get("server_side_binding")


def literals(values: Iterable[Any], database: BaseDatabaseWrapper) -> list[str]:
    """What psycopg would put into the places, which it first looks for, each time anew where they are more than 50."""
    literal = _kept(database).literal
    with database.wrap_database_errors:
        return ["NULL" if value is None else literal(value).decode() for value in values]


class _Kept(NamedTuple):
    """What a connection to PostgreSQL is given once, and else for each statement; it goes with the connection."""

    cursor: Any  # psycopg's; all that it finds is read before it is asked again, and until then it keeps the last
    literal: Callable[[Any], bytes]  # it has looked up how values of each class are written


def _kept(database: BaseDatabaseWrapper) -> _Kept:
    database.close_if_health_check_failed()
    database.ensure_connection()
    kept = vars(database.connection)
    if _KEPT not in kept:
        literal = database.Database.adapt.Transformer(database.connection).as_literal  # type: ignore[attr-defined]  # psycopg
        kept[_KEPT] = _Kept(database.create_cursor(), literal)
    return cast(_Kept, kept[_KEPT])


def _answer(statement: Statement[T], cursor: Any) -> T:
    cursor.execute(statement.sql, statement.values)
    return statement.read(cursor)


def _text(statement: Statement[Any], database: BaseDatabaseWrapper) -> str:
    if statement.values is None:
        return statement.sql
    first, *rest = _pieces(statement.sql)
    found = literals(statement.values, database)
    return first + "".join([value + piece for value, piece in zip(found, rest, strict=True)])


@lru_cache(maxsize=1000)
def _pieces(sql: str) -> tuple[str, ...]:
    """What is before, between and after its places."""
    pieces = [""]
    for part in _MARK.split(sql):
        if part == "%s":
            pieces.append("")
        else:
            pieces[-1] += "%" if part == "%%" else part
    return tuple(pieces)
