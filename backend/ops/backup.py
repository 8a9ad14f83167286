"""The whole database into one file and back, with PostgreSQL's own tools, pg_dump and pg_restore; old files go."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from backend.bookings import policy

SUFFIX = ".dump"  # of the files that `expire` takes for ours


class BackupError(Exception):
    """Nothing was written or restored; the sentence says why, and what to do."""


def dump(path: Path) -> None:
    """Write a consistent copy while everything runs; `path` appears only when it is whole, for its owner alone."""
    part = path.with_name(f"{path.name}.part")
    part.unlink(missing_ok=True)
    try:
        part.touch(mode=0o600)
        limit = f"--lock-wait-timeout={settings.COMMAND_LOCK_TIMEOUT // timedelta(milliseconds=1)}"  # its only wait
        options = ("--format=custom", "--no-owner", "--no-privileges", f"--file={part}")
        _run("pg_dump", limit, *options, f"--dbname={_where()}")
        part.replace(path)
    except OSError as error:
        raise BackupError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


def restore(path: Path) -> None:
    """Fill an empty database, all or nothing. Its user needs no more than to own it."""
    if not path.is_file():
        raise BackupError(f"There is no file {path}.")
    where = _where()
    if connection.introspection.table_names():
        raise BackupError("The database has tables already. Restore into an empty one: `createdb -O app NAME`.")
    options = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", "--no-comments")
    _run("pg_restore", *options, f"--dbname={where}", str(path))


def expire(folder: Path, *, now: datetime) -> list[str]:
    """Delete the dumps in it that were kept long enough, by their own time. Their names, the oldest first."""
    if not folder.is_dir():
        raise BackupError(f"There is no folder {folder}.")
    until = (now - policy.BACKUPS_KEPT).timestamp()
    dumps = sorted((path.stat().st_mtime, path) for path in folder.glob(f"*{SUFFIX}") if path.is_file())
    gone = [path for made_at, path in dumps if made_at <= until]
    for path in gone:
        path.unlink()
    return [path.name for path in gone]


def _where() -> str:
    """The database as libpq wants it. The password goes by the environment: arguments are seen by the whole machine."""
    if connection.vendor != "postgresql":
        raise BackupError("This is SQLite, for development: stop the stack and copy its folder `var/`.")
    given = connection.settings_dict
    options = {name: value for name, value in given["OPTIONS"].items() if name.startswith("ssl")}
    parts = {"host": given["HOST"], "port": given["PORT"], "user": given["USER"], "dbname": given["NAME"], **options}
    return make_conninfo(**{name: value for name, value in parts.items() if value})


def _run(tool: str, *arguments: str) -> None:
    found = shutil.which(tool)
    if found is None:
        raise BackupError(
            f"{tool} is not on the PATH. Install PostgreSQL's client programs, at least as new as the server "
            "(Debian: apt install postgresql-client)."
        )
    environment: dict[str, Any] = {**os.environ, "PGPASSWORD": str(connection.settings_dict["PASSWORD"] or "")}
    done = subprocess.run(  # noqa: S603 -- PostgreSQL's own program
        [found, "--no-password", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BackupError(f"{tool} failed:\n{done.stderr.strip()}")
