"""Tables that are filled at once do without indexes and foreign keys meanwhile: made at the end they cost a tenth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.utils import CursorWrapper

CONSTRAINTS = """
    SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
        format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE contype IN ('u', 'f') AND conrelid::regclass::text = ANY(%s)
"""
INDEXES = """
    SELECT format('DROP INDEX %%I', indexname), indexdef FROM pg_indexes
    WHERE tablename = ANY(%s) AND indexname NOT IN (SELECT conname FROM pg_constraint)
"""


@contextmanager
def without_indexes(cursor: CursorWrapper, *tables: str) -> Iterator[None]:
    """Nor foreign keys, which are checked at the end. In one transaction: whoever else wants these tables waits."""
    found: list[tuple[str, str]] = []
    for query in (CONSTRAINTS, INDEXES):
        cursor.execute(query, [list(tables)])
        found += cursor.fetchall()
    _check_what_waits(cursor)
    for drop, _ in found:
        cursor.execute(drop)
    yield
    _check_what_waits(cursor)
    for _, make in found:
        cursor.execute(make)


def _check_what_waits(cursor: CursorWrapper) -> None:
    """A table cannot be altered while foreign keys of its rows wait for the end of the transaction."""
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
