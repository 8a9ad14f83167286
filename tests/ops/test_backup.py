"""A backup is the whole database: restored into an empty one, every row, number and guard is there again."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.support import scenarios, system_health, working_hours
from tests.support.alternatives import rejected
from tests.support.server import ROOT, database_url

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def empty() -> Iterator[str]:
    """DATABASE_URL of a database without tables, beside the test's own."""
    name = f"restored_{uuid4().hex[:8]}"
    own = database_url()
    with psycopg.connect(own, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield f"{own.rpartition('/')[0]}/{name}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def busy(now: datetime) -> None:
    """Something in most tables."""
    scenarios.confirmed(now=now)
    rejected(working_hours.psychologist("Dr. New"), now, "ravi@example.org")
    system_health.healthy(now=now)


def contents(url: str) -> dict[str, Any]:
    """Every table's rows, where each sequence stands, and every guard."""
    found: dict[str, Any] = {}
    with psycopg.connect(url) as database:
        names = "SELECT {0} FROM pg_{1} WHERE schemaname = 'public' ORDER BY 1"
        for (table,) in database.execute(names.format("tablename", "tables")).fetchall():
            found[table] = sorted(map(repr, database.execute(f'SELECT * FROM "{table}"').fetchall()))
        found["sequences"] = database.execute(names.format("sequencename, last_value", "sequences")).fetchall()
        # by name: PostgreSQL writes the same condition with other casts once it was restored
        found["indexes"] = database.execute(names.format("indexname", "indexes")).fetchall()
        guards = "SELECT conname, contype, convalidated FROM pg_constraint ORDER BY 1, 2"
        found["constraints"] = database.execute(guards).fetchall()
        triggers = "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1"
        found["triggers"] = database.execute(triggers).fetchall()
    return found


def restore(file: Path, url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "backup", "restore", str(file)]
    given = {**os.environ, "DATABASE_URL": url, "ENV_FILE": os.devnull}
    return subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True)


@pytest.mark.postgres_only
@pytest.mark.usefixtures("_postgres_tools")
def test_what_is_dumped_is_restored_row_by_row(now: datetime, settings: Any, tmp_path: Path, empty: str) -> None:
    settings.PAYMENT_GATEWAY = "sandbox"
    busy(now)
    file = tmp_path / "backup.dump"
    call_command("backup", "dump", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]

    done = restore(file, empty)
    assert done.returncode == 0, done.stderr
    before, after = contents(database_url()), contents(empty)
    assert {name for name, rows in before.items() if rows} >= {"bookings_ledgerentry", "outbox_message", "triggers"}
    assert before == after

    again = restore(file, empty)
    assert again.returncode == 1
    assert "has tables already" in again.stderr


@pytest.mark.postgres_only
@pytest.mark.usefixtures("_postgres_tools")
def test_a_file_that_is_no_backup_restores_nothing(tmp_path: Path, empty: str) -> None:
    file = tmp_path / "backup.dump"
    assert "There is no file" in restore(file, empty).stderr
    file.write_text("nonsense")
    done = restore(file, empty)
    assert done.returncode == 1
    assert "pg_restore failed" in done.stderr
    with psycopg.connect(empty) as database:
        assert not database.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'").fetchall()


@pytest.mark.postgres_only
def test_without_postgresqls_tools_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match="postgresql-client"):
        call_command("backup", "dump", tmp_path / "backup.dump")
    assert not list(tmp_path.iterdir())


@pytest.mark.sqlite_only
def test_sqlite_is_copied_as_a_folder(tmp_path: Path) -> None:
    assert connection.vendor == "sqlite"
    with pytest.raises(CommandError, match="copy its folder"):
        call_command("backup", "dump", tmp_path / "backup.dump")


@pytest.mark.sqlite_only
def test_dumps_older_than_they_are_kept_are_deleted_and_nothing_else(tmp_path: Path) -> None:
    for name, days in {"new.dump": 29.9, "old.dump": 30.1, "older.dump": 300, "older.txt": 300}.items():
        (tmp_path / name).touch()
        made_at = time.time() - days * 86400
        os.utime(tmp_path / name, (made_at, made_at))
    said = StringIO()
    call_command("backup", "expire", tmp_path, stdout=said)
    assert said.getvalue() == "backup: deleted older.dump, old.dump\n"
    assert {path.name for path in tmp_path.iterdir()} == {"new.dump", "older.txt"}
    with pytest.raises(CommandError, match="There is no folder"):
        call_command("backup", "expire", tmp_path / "none")
