"""Empties what a test with real transactions wrote. Django's flush would truncate every table, of which few have rows.

It would also make content types, permissions and groups anew. Nobody else may empty ledger, access log and receipts.
"""

from __future__ import annotations

from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from backend.audit.guard import GUARD
from backend.bookings import ledger_triggers
from backend.payments import receipt_models

MIGRATED = {"django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}  # full of what tests read
GUARDS = (ledger_triggers.GUARD, GUARD, *receipt_models.GUARDS)


def flush() -> None:
    """Afterwards all guards stand, also where the test took them down."""
    with transaction.atomic(), connection.cursor() as cursor:
        written = _written(cursor)
        guarded = [guard.table for guard in GUARDS if guard.table in written]
        (_empty_postgresql if connection.vendor == "postgresql" else _empty_sqlite)(cursor, written, guarded)
    for guard in GUARDS:
        if guard.is_missing():
            guard.install()


def _written(cursor: CursorWrapper) -> list[str]:
    """The tables that have rows, and are no part of what a migration leaves."""
    there = set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - MIGRATED
    cursor.execute(" UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")" for name in there))
    return [name for (name,) in cursor.fetchall()]


def _empty_postgresql(cursor: CursorWrapper, written: list[str], guarded: list[str]) -> None:
    """To truncate makes a new file of each table and each index; these have few rows."""
    cursor.execute("SET LOCAL statement_timeout = 0")  # of who serves people: a test may have made 20,000 bookings
    for name in guarded:
        cursor.execute(f'ALTER TABLE "{name}" DISABLE TRIGGER USER')
    for name in written:
        cursor.execute(f'DELETE FROM "{name}"')
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what waits for the commit forbids to alter a table
    for name in guarded:
        cursor.execute(f'ALTER TABLE "{name}" ENABLE TRIGGER USER')


def _empty_sqlite(cursor: CursorWrapper, written: list[str], guarded: list[str]) -> None:
    for guard in GUARDS:
        for name in guard.triggers("sqlite") if guard.table in guarded else ():
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
    for statement in connection.ops.sql_flush(no_style(), written):
        cursor.execute(statement)
