"""What keeps PostgreSQL from clearing dead rows away: a transaction that stays open, and how many there are by now.

Every mail leaves dead rows in the outbox. While any transaction is older than they are, none can be cleared, and each
claim reads past them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection

from backend.outbox.models import Message

# Sessions of other users say nothing unless ours may read all statistics (GRANT pg_read_all_stats)
_ASK = """
SELECT
    (SELECT clock_timestamp() - min(xact_start) FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend'),
    n_live_tup, n_dead_tup
FROM pg_stat_user_tables WHERE relid = %s::regclass
"""


@dataclass(frozen=True)
class Upkeep:
    """Of this database; numbers of rows are PostgreSQL's own estimates."""

    oldest_transaction_age: timedelta
    outbox_rows: int
    outbox_dead_rows: int


def read_upkeep() -> Upkeep:
    """One query. All zero on SQLite, whose UPDATE writes in place and leaves nothing to clear."""
    if connection.vendor != "postgresql":
        return Upkeep(timedelta(0), 0, 0)
    with connection.cursor() as cursor:
        cursor.execute(_ASK, [Message._meta.db_table])
        [(age, live, dead)] = cursor.fetchall()
    return Upkeep(max(age, timedelta(0)), live, dead)
