"""What is measured: the processes of the Procfile with DEBUG off, a mail provider of ours, and the reference beside."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import django
import psycopg
import requests

from config.local.child import BROKER
from config.local.postgres import Throwaway
from config.local.procfile import PATH as PROCFILE
from tests.bench import sink as sinks
from tests.bench.environment import environment_of
from tests.bench.sink import Sink
from tests.chaos.stack import Stack
from tests.support.server import free_port

ROOT = PROCFILE.parent
REFERENCE = "tests.bench.reference"
PYTHON = sys.executable
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}

GROUPS = {
    "web": ("web",),
    "large": ("web large",),
    "bare": ("bare web", "bare worker"),
    "rest": ("mail", "payments", "calls", "timers", "beat", "broker", "sandbox"),
}


class Service:
    """The parts, of which only those run that are needed: an idle worker beside a measurement is a neighbour."""

    def __init__(self, folder: Path, database: Throwaway, sink: Sink) -> None:
        self.database, self.sink = database, sink
        self.bare_database_url = database.url.rpartition("/")[0] + "/bare"
        self.large_database_url = database.url.rpartition("/")[0] + "/large"
        self.large_url = f"http://127.0.0.1:{free_port()}"
        self.bare_url = f"http://127.0.0.1:{free_port()}"
        (folder / "run").mkdir()
        environment = environment_of(folder, database.url, sink)
        self.stack = Stack(folder, environment, database, gateway="sandbox", seed=0, pace=1.0)
        add = self.stack.add
        add("broker", PYTHON, "-m", "config.local.child", BROKER)
        # its reports reach nobody: what a payment costs is measured without, they by themselves
        add("sandbox", PYTHON, "-m", "backend.payments.sandbox", PUBLIC_URL="http://127.0.0.1:9")
        add("web", PYTHON, "-m", "config.web")
        large = {"DATABASE_URL": self.large_database_url, "PORT": self.large_url.rpartition(":")[2]}
        add("web large", PYTHON, "-m", "config.web", **large)
        for queue in ("mail", "payments", "calls", "timers"):
            add(queue, PYTHON, "-m", "workers", queue)
        add("beat", PYTHON, "-m", "workers", "beat")
        bare = {"DJANGO_SETTINGS_MODULE": f"{REFERENCE}.settings", "DATABASE_URL": self.bare_database_url}
        add("bare web", PYTHON, "-m", "config.web", PORT=self.bare_url.rpartition(":")[2], **bare)
        worker = ("-m", "celery", "--quiet", "-A", f"{REFERENCE}.worker", "worker", "--loglevel=INFO")
        add("bare worker", PYTHON, *worker, "--concurrency=1", "--without-gossip", "--without-mingle", **bare)

    @property
    def url(self) -> str:
        return self.stack.url

    def pid(self, name: str) -> int:
        return self.stack.parts[name].pid

    def runs(self, name: str) -> bool:
        return self.stack.parts[name].is_alive()

    def groups(self) -> dict[str, list[int]]:
        """Whose CPU is counted, of what runs now."""
        found = {group: [self.pid(name) for name in names if self.runs(name)] for group, names in GROUPS.items()}
        return found | {"database": [self.database.pid]}

    def only(self, *names: str, **variables: str) -> None:
        """These run and are ready, and no others. With variables all of them begin anew."""
        for name, part in self.stack.parts.items():
            if part.is_alive() and (name not in names or variables):
                self.end(name)
        for name in names:
            if not self.runs(name):
                self.begin(name, **variables)

    def begin(self, name: str, **variables: str) -> float:
        """Returns when it is ready: the seconds it took."""
        part = self.stack.parts[name]
        part.environment = {**part.environment, **variables}
        part.log.unlink(missing_ok=True)
        began = time.monotonic()
        part.start()
        self.stack.wait_until(lambda: self._is_ready(name), f"{name} ready")
        return time.monotonic() - began

    def _is_ready(self, name: str) -> bool:
        urls = {"web": self.url, "web large": self.large_url, "bare web": self.bare_url}
        if name in urls:
            return _serves(f"{urls[name]}/api/ping/")
        words = {"broker": "Ready to accept", "sandbox": "", "beat": ""}.get(name, " ready.")
        return words in self.stack.parts[name].log.read_text()

    def end(self, name: str) -> None:
        """As a supervisor would."""
        part = self.stack.parts[name]
        os.kill(part.pid, signal.SIGTERM)
        try:
            assert part.process is not None
            part.process.wait(25)
        except subprocess.TimeoutExpired:
            part.end_group()


def _serves(url: str) -> bool:
    """Whether it answers."""
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


@contextmanager
def running() -> Iterator[Service]:
    """Databases and provider; the parts are started by whoever measures them. All of it is gone afterwards."""
    with ExitStack() as ends:
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        if os.environ.get("BENCH_KEEP") != "1":
            ends.callback(shutil.rmtree, folder, ignore_errors=True)
        database = Throwaway(**DURABLE)
        ends.callback(database.close)
        service = Service(folder, database, ends.enter_context(sinks.running()))
        ends.callback(service.stack.stop)
        _prepare(service)
        yield service


def _prepare(service: Service) -> None:
    ours, bare = service.stack.environment, service.stack.parts["bare web"].environment
    _run("manage.py", "release", given=ours)
    with psycopg.connect(service.database.url.rpartition("/")[0] + "/postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE bare")
        connection.execute("CREATE DATABASE large TEMPLATE app")
    _run("-m", "django", "migrate", "--run-syncdb", given=dict(bare))
    # settings read it once, so whoever imports models does it after this; and we are one thread
    os.environ.update(ours, DATABASE_POOL="0")
    django.setup()
    logging.getLogger().setLevel(logging.WARNING)  # the table is what is to be read


def _run(*command: str, given: dict[str, str]) -> None:
    subprocess.run([PYTHON, *command], cwd=ROOT, env=given, check=True, capture_output=True)
