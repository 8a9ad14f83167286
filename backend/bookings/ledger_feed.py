"""The ledger as programs follow it: by the number of the row, and never past one that is still to be committed.

Numbers are handed out before commits, so a lower one can appear after a higher one was read. Who writes holds a lock on
the table from before its number until its commit: the end of what was seen counts only once nobody who held that lock
then is at it any more, as PostgreSQL itself waits before it uses a new index. SQLite has one writer.
"""

from __future__ import annotations

import time
from datetime import timedelta

from django.db import connection
from django.db.models import Max

from backend.bookings.models import LedgerEntry

PATIENCE = timedelta(milliseconds=300)  # an intent takes some milliseconds; who reads comes again anyway
_LOOK_AGAIN = timedelta(milliseconds=10)
_WRITERS = (
    "SELECT virtualtransaction FROM pg_locks WHERE relation = %s::regclass AND mode = 'RowExclusiveLock' "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()"
)


def rows_after(number: int, *, limit: int) -> list[LedgerEntry]:
    """Up to `limit` rows behind this number, in order; none while older ones may still come."""
    last = _last_certain()
    rows = LedgerEntry.objects.filter(pk__gt=number, pk__lte=last).select_related("booking")
    return list(rows.defer("details", "booking__user_message").order_by("pk")[:limit])


def _last_certain() -> int:
    """The highest number below which nothing is missing any more; 0 if that takes too long."""
    last = LedgerEntry.objects.aggregate(last=Max("pk"))["last"] or 0
    if connection.vendor != "postgresql":
        return last
    waited_for, ends_at = _writers(), time.monotonic() + PATIENCE.total_seconds()
    while waited_for:
        if time.monotonic() > ends_at:
            return 0
        time.sleep(_LOOK_AGAIN.total_seconds())
        waited_for &= _writers()
    return last


def _writers() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_WRITERS, [LedgerEntry._meta.db_table])
        return {row[0] for row in cursor.fetchall()}
