"""Mails that left long ago, in the large practice: more than its bookings would have owed by themselves."""

from __future__ import annotations

from django.db import connection, transaction

from backend.outbox.models import Message
from tests.bench import large
from tests.bench.bulk import without_indexes
from tests.bench.inserting import insert

BOOKINGS = "(SELECT min(id) AS first, count(*) AS many FROM bookings_booking) AS bookings"
INSTANTS = ("not_before", "next_attempt_at", "created_at", "settled_at", "blanked_at")


def fill(count: int) -> None:
    """Until there are so many messages."""
    with large.connected(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        cursor.execute("SET LOCAL statement_timeout = 0")
        missing = count - Message.objects.count()
        if missing > 0:
            with without_indexes(cursor, Message._meta.db_table):
                cursor.execute(_mails(missing))
    with large.connected(), connection.cursor() as cursor:  # else autovacuum would, while something is measured
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM (ANALYZE) outbox_message")


def _mails(count: int) -> str:
    at = "now() - interval '1 year' - n * interval '10 seconds'"
    return insert(
        Message, f"generate_series(1, {count}) AS n, {BOOKINGS}", queue="'mail'", kind="'booking_confirmed'",
        dedupe_key="'settled:' || n", booking_id="first + n % many", state="'done'", attempts="1", hand_overs="1",
        **dict.fromkeys(INSTANTS, at),
    )  # fmt: skip
