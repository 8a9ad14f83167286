"""What a timer cannot do without: note that a run begins, look for what is due by its index, note that it ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

BEGIN = "INSERT INTO bench_run (began_at) VALUES (now()) RETURNING id"
LOOK = "SELECT id FROM bookings_booking WHERE state = 'DRAFT' AND due_at <= '2000-01-01' ORDER BY due_at LIMIT 200"
END = "UPDATE bench_run SET ended_at = now() WHERE id = %s"


MAKE = "CREATE TABLE bench_run (id bigserial PRIMARY KEY, began_at timestamptz, ended_at timestamptz)"


@contextmanager
def table() -> Iterator[None]:
    """Of its runs, until the block ends."""
    with connection.cursor() as cursor:
        cursor.execute(MAKE)
        yield
        cursor.execute("DROP TABLE bench_run")


def tick() -> None:
    """Three statements, each a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(BEGIN)
        [(run,)] = cursor.fetchall()
        cursor.execute(LOOK)
        cursor.execute(END, [run])
