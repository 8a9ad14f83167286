"""`python -m tests.pooler [arguments of pytest]`: a part of the tests, or those given, through PgBouncer.

In transaction mode, between the tests and a PostgreSQL of their own. Exit codes are pytest's; 2 also: it cannot be
tried here. PgBouncer is Debian's, unpacked into var/ where there is none.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from config.local import keys, postgres
from config.local.console import end_in_order
from tests.pooler import pgbouncer
from tests.support.server import ROOT

# what a pooler could break: locks and rollbacks, conditional updates, claims under a lease, long reads, streams
CHOSEN = (
    "tests/bookings/lifecycle",
    "tests/bookings/test_constraints.py",
    "tests/outbox",
    "tests/scheduling",
    "tests/desk/test_list.py",
    "tests/desk/test_races.py",
    "tests/api/test_repeated_requests.py",
    "tests/workers/test_mail.py",
)
# a process cannot change its role's limits, as the server of the tests would: forty wait for one row there
PATIENT = {"lock_timeout": "60s", "statement_timeout": "60s"}


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    end_in_order()
    try:
        program = pgbouncer.found()
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    with postgres.throwaway() as url, pgbouncer.running(program, url, **PATIENT) as folder:
        given = {**os.environ, **keys.generate(), "DEBUG": "1", "VAR_DIR": "var/test", "ENV_FILE": os.devnull}
        given |= pgbouncer.through(folder)
        # kept: PgBouncer holds connections to the database of the tests, so that it cannot be dropped
        command = [sys.executable, "-m", "pytest", "-q", "--reuse-db", *(arguments or CHOSEN)]
        return subprocess.run(command, cwd=ROOT, env=given, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
