"""New rows, by a statement whose text is made once for each table, and from then on only bound.

It stores what `bulk_create` stores. Django writes the text anew each time, for three times as long as it runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Field, Model

ANY = "any"  # a unique column, whichever


def insert(rows: Sequence[Model], *, unless_exists: str = "") -> bool:
    """Store new rows of one model in one statement, and set their ids; no signal is sent.

    `unless_exists`, a unique column or ANY: rows that collide there are passed over. False: at least one was, and then
    no id is set. Raises IntegrityError for any other collision, and at commit for a foreign key of nothing.
    """
    model = type(rows[0])
    begin, end, columns = _text(model, unless_exists, connection.vendor)
    places = ", ".join([f"({', '.join(['%s'] * len(columns))})"] * len(rows))
    values = [column.get_db_prep_save(column.pre_save(row, True), connection) for row in rows for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(f"{begin} {places} {end}", values)
        ids = cursor.fetchall()
    if len(ids) < len(rows):
        return False
    for row, (id_,) in zip(rows, ids, strict=True):
        row.pk, row._state.adding, row._state.db = id_, False, connection.alias
    return True


@cache
def _text(model: type[Model], unless_exists: str, _vendor: str) -> tuple[str, str, tuple[Field[Any, Any], ...]]:
    """Before and after the places, and the columns. Raises TypeError for a table that only Django can write to."""
    meta, quote = model._meta, connection.ops.quote_name
    columns = tuple(column for column in meta.concrete_fields if column is not meta.pk)
    if meta.parents or not meta.pk.db_returning or any(hasattr(column, "get_placeholder") for column in columns):
        raise TypeError(f"{meta.label} has columns that are not bound as they are")
    begin = f"INSERT INTO {quote(meta.db_table)} ({', '.join(quote(str(column.column)) for column in columns)}) VALUES"
    target = "" if unless_exists == ANY else f"({quote(unless_exists)}) "
    passes = f"ON CONFLICT {target}DO NOTHING " if unless_exists else ""
    return begin, f"{passes}RETURNING {quote(str(meta.pk.column))}", columns
