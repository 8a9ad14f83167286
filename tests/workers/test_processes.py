"""Real workers and a real beat: they show while they work, and a freeze, a kill and a proper stop are told apart."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from backend.ops import findings, operator_actions, snapshot
from backend.ops.findings import Level
from backend.ops.health import SILENT_AFTER, STALE_AFTER
from backend.ops.models import Canary, Process, ProcessRole, Timer, TimerRun
from config import schedule as table
from tests.support.server import ROOT, database_url
from tests.support.valkey import Valkey
from workers import heartbeat, schedule

pytestmark = pytest.mark.postgres_only

SIGN = heartbeat.RECORD_EVERY
WITHIN = 60  # seconds that two processes get to start on a busy machine


@contextmanager
def started(broker: Valkey, *names: str) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """Processes of the Procfile over the test's database and broker, each by its name."""
    folder = Path(tempfile.mkdtemp(prefix="ops-"))
    if connection.vendor == "sqlite":
        (folder / "db.sqlite3").symlink_to(Path(connection.settings_dict["NAME"]).resolve())
    given = {
        **os.environ,
        "VAR_DIR": str(folder),
        "DATABASE_URL": database_url(),
        "REDIS_URL": broker.url,
        "ENV_FILE": os.devnull,
        "NODE_NAME": "node",
    }
    processes = {}
    try:
        for name in names:
            with (folder / f"{name}.log").open("w") as log:
                command = [sys.executable, "-m", "workers", name]
                processes[name] = subprocess.Popen(
                    command, cwd=ROOT, env=given, stdout=log, stderr=log, start_new_session=True
                )
        yield processes
    finally:
        for process in processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def clients() -> set[int]:
    """The connections of other processes to our database; PostgreSQL's own, which vacuum it, are none."""
    others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with connection.cursor() as cursor:
        cursor.execute(f"{others} AND backend_type = 'client backend'")
        return {pid for (pid,) in cursor.fetchall()}


def degraded(*, after: timedelta) -> list[str]:
    found = findings.judge(snapshot.take_snapshot(now=timezone.now() + after, with_figures=False))
    return findings.components(found, Level.DEGRADED)


@pytest.mark.django_db(transaction=True)
def test_beat_and_workers_show_while_they_work_and_not_when_they_are_frozen(valkey: Valkey) -> None:
    schedule.install(table.TABLE)
    with started(valkey, "timers", "beat") as processes:
        until(lambda: Timer.objects.filter(pk="lapse_drafts", finished_at__isnull=False).exists())
        until(lambda: Canary.objects.filter(pk=ProcessRole.TIMERS, sent_at__isnull=False).exists())
        until(lambda: set(Process.objects.values_list("name", flat=True)) == {"timers@node", "beat@node"})
        missed = degraded(after=timedelta(0))
        assert not {"beat", "worker-timers", "canary-timers", "broker"} & set(missed)
        before, run_at = clients(), Timer.objects.get(pk="lapse_drafts").started_at
        until(lambda: Timer.objects.filter(pk="lapse_drafts", started_at__gt=run_at).exists())
        assert clients() == before  # every task of between ran over the connections that were there
        operator_actions.run_timer("lapse_drafts", actor="staff:asha", now=timezone.now())
        until(lambda: TimerRun.objects.filter(timer="lapse_drafts", asked_by="staff:asha").exists())

        for process in processes.values():  # frozen: nothing is said, and time passes
            os.killpg(process.pid, signal.SIGSTOP)
        assert {"beat", "worker-timers"} <= set(degraded(after=SILENT_AFTER + SIGN))
        assert "canary-timers" in degraded(after=STALE_AFTER + SIGN)
        for process in processes.values():
            os.killpg(process.pid, signal.SIGCONT)

        until(lambda: "beat" not in degraded(after=SILENT_AFTER - SIGN))
        os.killpg(processes["beat"].pid, signal.SIGKILL)  # killed: it looks the same
        processes["beat"].wait()
        assert "beat" in degraded(after=SILENT_AFTER + SIGN)

        processes["timers"].terminate()  # stopped: it says so
        processes["timers"].wait(timeout=WITHIN)
        assert list(Process.objects.values_list("name", flat=True)) == ["beat@node"]


@pytest.mark.django_db(transaction=True)
def test_beat_that_stops_takes_its_sign_down(valkey: Valkey) -> None:
    schedule.install(table.TABLE)
    with started(valkey, "beat") as processes:
        until(lambda: Process.objects.filter(role=ProcessRole.BEAT).exists())
        processes["beat"].terminate()
        processes["beat"].wait(timeout=WITHIN)
        assert not Process.objects.exists()
