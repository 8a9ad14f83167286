"""Asks whether a process is at work: `python -m workers.check beat|mail|payments|calls|timers|NAME@NODE`; exit 0 or 1.

For a supervisor or a container's probe, which asks often: it loads the settings and a driver, no application.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

SILENT_AFTER = 30.0  # seconds; as backend/ops/health.py has it, which a test holds it to
# Of beat, one that ticks is enough, wherever it is
SIGNS = "SELECT seen_at FROM ops_process WHERE name = %s OR (role = %s AND role = 'beat')"


def main(arguments: Sequence[str]) -> int:
    """Says what it found."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m workers.check beat|mail|payments|calls|timers|NAME@NODE\n")
        return 1
    name = arguments[0] if "@" in arguments[0] else f"{arguments[0]}@{settings.NODE_NAME}"
    try:
        ages = _ages(name, arguments[0])
    except (DatabaseError, InterfaceError) as error:
        sys.stderr.write(f"The database does not answer ({type(error).__name__}).\n")
        return 1
    if not ages or min(ages) > SILENT_AFTER:
        sys.stderr.write(f"{arguments[0]} gives no sign of life.\n")
        return 1
    sys.stdout.write(f"{arguments[0]} is at work: its last sign of life is {min(ages):.0f} s old.\n")
    return 0


def _ages(name: str, role: str) -> list[float]:
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(SIGNS, [name, role])
        return [abs((now - _instant(seen_at)).total_seconds()) for (seen_at,) in cursor.fetchall()]


def _instant(value: datetime) -> datetime:
    """SQLite's driver leaves the zone out."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["DATABASE_POOL"] = "0"  # one question needs no pool
    warnings.filterwarnings("ignore", category=RuntimeWarning, module="django.db")  # of a query without applications
    sys.exit(main(sys.argv[1:]))
