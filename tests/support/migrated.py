"""A migrated database, made once for these migrations and copied for each run of tests.

To migrate an empty one takes longer than most files of tests do. PostgreSQL is new in each run, so a dump is kept.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from unittest.mock import patch

from django.apps import apps
from django.conf import settings
from django.db import connection

from backend.ops import backup
from tests.support import postgres_tools

NAME = "migrated_{}"


def prepare() -> None:
    """Let the test database be made as a copy; what comes after each migration runs on the copy, too.

    Not behind a pooler: it keeps connections to what nobody may be connected to while it is copied.
    """
    with _alone():
        if connection.vendor == "sqlite":
            _copy_file()
        elif settings.DATABASE_LIMITS_BY != "role":
            _name_template()


def kept_file() -> Path:
    """SQLite's, where a run on it has left one."""
    found: Path = settings.VAR_DIR / f"{NAME.format(_fingerprint())}.sqlite3"
    return found


def _copy_file() -> None:
    ours = kept_file()
    target = Path(connection.settings_dict["TEST"]["NAME"])
    if not ours.exists():
        for old in settings.VAR_DIR.glob(NAME.format("*.sqlite3")):
            old.unlink()
        _migrate()
        shutil.copyfile(target, ours.with_suffix(".part"))
        ours.with_suffix(".part").rename(ours)
    for suffix in ("", "-wal", "-shm"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(ours, target)


def _name_template() -> None:
    ours = NAME.format(_fingerprint())
    with connection.creation._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{connection.creation._get_test_db_name()}"')
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [ours])
        is_there = cursor.fetchone() is not None
    if not is_there:
        made = _restored(ours) or _migrated_and_dumped()
        with connection.creation._nodb_cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{made}" RENAME TO "{ours}"')
    connection.settings_dict["TEST"]["TEMPLATE"] = ours


def kept_dump() -> Path:
    """PostgreSQL's, where a run on it has left one."""
    found: Path = settings.VAR_DIR / f"{NAME.format(_fingerprint())}{backup.SUFFIX}"
    return found


def _restored(ours: str) -> str | None:
    """The name of a database made of the dump that an earlier run left; None without one that can be restored."""
    dump, made = kept_dump(), f"{ours}_part"
    if not dump.exists():
        return None
    with connection.creation._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{made}"')
        cursor.execute(f'CREATE DATABASE "{made}"')
    with _tools_for(made):
        try:
            backup.restore(dump)
        except backup.BackupError:  # of a newer server
            return None
    return made


def _migrated_and_dumped() -> str:
    made = _migrate()
    for old in settings.VAR_DIR.glob(NAME.format(f"*{backup.SUFFIX}")):
        old.unlink()
    with _tools_for(made), suppress(backup.BackupError):  # of a newer server
        backup.dump(kept_dump())
    return made


@contextmanager
def _tools_for(name: str) -> Iterator[None]:
    """What is dumped or restored meanwhile is this database, to which nobody stays connected."""
    before = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = name
    try:
        with patch.dict(os.environ, {"PATH": postgres_tools.path()}):
            yield
    finally:
        connection.close()
        connection.close_pool()
        connection.settings_dict["NAME"] = before


def _migrate() -> str:
    """The name of the test database, which is now an empty one that was migrated, and is not connected to."""
    before = connection.settings_dict["NAME"]
    made = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    connection.creation.destroy_test_db(before, verbosity=0, keepdb=True)
    if connection.vendor == "postgresql":
        connection.close_pool()
    return made


def _fingerprint() -> str:
    read = sha256()
    for app in apps.get_app_configs():
        for path in sorted((Path(app.path) / "migrations").glob("*.py")):
            read.update(f"{app.label} {path.name}\n".encode() + path.read_bytes())
    return read.hexdigest()[:16]


@contextmanager
def _alone() -> Iterator[None]:
    """Of all processes of this run."""
    with (settings.VAR_DIR / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
