"""`python -m tests.simulate [--days N] [--sessions N] [--seed N]`: a practice that lives, and its cost as it grows.

The clock is set, and everything else is ours: intents, timers, workers, PostgreSQL and the sandbox gateway over HTTP.
Mails are composed and thrown away. Each month what must hold of all rows is asked, and what a booking cost is noted.
Exit codes: 0 all held, 1 something did not.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from config.local.console import end_in_order, say
from config.local.postgres import Throwaway
from tests.bench.environment import environment_of
from tests.bench.sink import Sink
from tests.support.server import ROOT

POSTGRES = {"fsync": "off", "synchronous_commit": "off"}  # CPU is measured, and nothing here survives
COUNTED = {"shared_preload_libraries": "pg_stat_statements", "pg_stat_statements.track_utility": "off"}


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulate", description=__doc__.partition("\n")[0])
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--sessions", type=int, default=100, help="that take place on a day")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10_000))
    given = parser.parse_args(arguments)
    end_in_order()
    say(f"Seed {given.seed}: {given.days} days of {given.sessions} sessions.")
    with _database() as database:
        from tests.simulate import figures, gateway, statements, year

        months, asked = [], statements.Statements(database.url)
        with gateway.running() as tell:
            for month in year.live(given.days, given.sessions, random.Random(given.seed), database.pid, tell):
                months.append(month)
                say(month.line)
                asked.note(month)
                picture = figures.draw(months)
        say(f"Drawn: {picture}; the dearest statements of each month: {statements.WRITTEN}")
    broken = [sentence for month in months for sentence in month.broken]
    say("Everything held." if not broken else "\n".join(broken))
    return 1 if broken else 0


@contextmanager
def _database() -> Iterator[Throwaway]:
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="year-")))
        database = Throwaway(**POSTGRES, **COUNTED)
        ends.callback(database.close)
        os.environ.update(environment_of(folder, database.url, Sink(port=9, pid=0)), DATABASE_POOL="0")
        subprocess.run([sys.executable, "manage.py", "release"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        import django

        django.setup()
        gc.freeze()  # as web and workers do
        yield database


if __name__ == "__main__":
    sys.exit(main())
