"""Each row of the bench does what it says: tiny, over the test's own database, and no time is asserted."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.db import connection

from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry
from tests.bench import naive_mails
from tests.bench import sink as sinks
from tests.bench.reference.models import Mail, Request
from tests.bench.rows import mails
from tests.bench.run import Run
from tests.bench.service import REFERENCE
from tests.support.gateway import SECRET, Sandbox
from tests.support.mail_sink import Sink
from tests.support.server import ROOT, database_url, web_server
from workers import timers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres_only]
SIZE = 0.02  # of a round


class Standing:
    """What runs for a test already, in the place of a service: nothing begins and nothing ends."""

    def __init__(self, sink: sinks.Sink) -> None:
        self.sink = sink
        self.database = SimpleNamespace(url=database_url(), pid=os.getpid())

    def only(self, *_names: str, **_variables: str) -> None:
        pass

    def begin(self, _name: str) -> float:
        return 0.1

    def end(self, _name: str) -> None:
        pass

    def pid(self, _name: str) -> int:
        return os.getpid()

    def groups(self) -> dict[str, list[int]]:
        return {name: [os.getpid()] for name in ("web", "bare", "rest", "database")}


@pytest.fixture(scope="module")
def _references(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The reference's tables, beside ours."""
    with django_db_blocker.unblock():
        with connection.schema_editor() as editor:
            for model in (Request, Mail):
                editor.create_model(model)
        yield
        with connection.schema_editor() as editor:
            for model in (Request, Mail):
                editor.delete_model(model)


@pytest.fixture(scope="module")
def run(_references: None, sandbox: Sandbox) -> Iterator[Run]:
    """One round of nearly nothing, at servers of one process."""
    one = {"WEB_WORKERS": "1"}
    gateway = {"SANDBOX_URL": sandbox.url, "SANDBOX_SECRET": SECRET, "PAYMENT_GATEWAY": "sandbox"}
    bare = {"DJANGO_SETTINGS_MODULE": f"{REFERENCE}.settings"}
    with (
        web_server(**one, **gateway, UNDO_WINDOW="0s", STRANGER_REQUESTS_PER_HOUR="10000") as url,
        web_server(**one, **bare) as bare_url,
        sinks.running() as sink,
    ):
        standing: Any = Standing(sink)
        yield Run(url, bare_url, standing.groups, standing, rounds=1, size=SIZE)


# "provider", "handoff" and "strangers" go the way of "requests", and are left to `make bench`
@pytest.mark.parametrize("row", ["requests", "calls", "sweeps", "ticks", "processes", "idle", "slots", "snapshot"])
def test_a_row_measures_what_it_says(run: Run, row: str, settings: Any) -> None:
    settings.SANDBOX_SECRET = SECRET  # as its web process has it
    found = importlib.import_module(f"tests.bench.rows.{row}").measure(run)
    assert found
    assert all(figure.values and figure.value for figure in found)


def test_the_statement_leaves_what_the_machine_leaves(run: Run) -> None:
    from tests.bench.reference import sweep
    from tests.bench.rows.sweeps import Due

    due, left = Due(2), []
    for complete in (timers.complete_sessions, sweep.complete_sessions):
        due.again()
        complete()
        bookings = Booking.objects.filter(pk__in=due.ids, state=State.COMPLETED)
        said = LedgerEntry.objects.order_by("-pk").values_list("booking", "intent", "source", "target", "actor")
        left.append((list(bookings.values_list("reason", "due_at", "claim")), sorted(said[:2])))
    assert left[0] == left[1]
    assert len(left[0][0]) == 2


def test_statements_of_a_mail_are_counted(sink: Sink) -> None:
    owed = mails.owe(2)
    for _ in range(2):  # what was sent is owed again
        figure, *_ = mails.statements_of(owed)
        assert figure.median > 0
    assert len(sink.recipients) == 4


@pytest.mark.usefixtures("_references")
def test_the_task_of_the_reference_sends_the_same_letter(sink: Sink) -> None:
    told = naive_mails.told()
    with psycopg.connect(database_url(), autocommit=True) as rows:
        [(one,)] = rows.execute(f"{naive_mails.OWE} RETURNING id", ["n@bench.example", told]).fetchall()
        given = {**os.environ, **sink.environment(), "DATABASE_URL": database_url(), "VAR_DIR": "/nowhere"}
        given["DJANGO_SETTINGS_MODULE"] = f"{REFERENCE}.settings"
        code = f"from {REFERENCE} import worker; worker.send({one})"
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=given, check=True)
        assert rows.execute("SELECT count(*) FROM reference_mail WHERE sent_at IS NULL").fetchall() == [(0,)]
    assert sink.recipients == [["n@bench.example"]]
    assert b"https://example.org/booking?token=" in sink.accepted[0].replace(b"=\r\n", b"").replace(b"=3D", b"=")


def test_every_row_has_its_place_in_the_document() -> None:
    from tests.bench import report
    from tests.bench.__main__ import LONG, ROWS

    kept = report.KEPT.read_text()
    modules = {path.stem for path in (ROOT / "tests" / "bench" / "rows").glob("*.py")} - {"__init__"}
    assert modules == {*ROWS, *LONG}
    assert all(f"<!-- measured: {row} -->" in kept for row in modules)


def test_a_table_is_kept_in_place_of_the_last(tmp_path: Path) -> None:
    from tests.bench import report

    page = tmp_path / "speed.md"
    page.write_text("a\n<!-- measured: mails -->\nold\n<!-- end -->\nb\n<!-- measured: idle -->\nidle\n<!-- end -->\n")
    report.keep("mails", "| new |", page)
    said = page.read_text()
    assert "| new |" in said
    assert "old" not in said
    assert said.endswith("b\n<!-- measured: idle -->\nidle\n<!-- end -->\n")
    with pytest.raises(RuntimeError):
        report.keep("sweeps", "", page)
