"""The stack in the storm: the real processes, two beats, mostly two workers a queue, and fakes of others' services."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from config.local import keys
from config.local.postgres import Throwaway
from tests.chaos import gateways
from tests.chaos.process import ROOT, Part, Supervisor
from tests.support import postgres_tools

START_WITHIN = 90.0  # seconds; fifteen Python processes on two cores
QUEUES = ("mail", "payments", "calls", "timers")
KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TMPDIR")

# A life cycle within a minute, in seconds; long enough that a fault of five seconds does not decide how it ends
DURATIONS = {
    "DRAFT_LIFETIME": 40,
    "DRAFT_REMINDER_AFTER": 20,
    "ANSWER_WITHIN": 40,
    "STAFF_REMINDED_AFTER": 15,
    "MANAGER_TOLD_AFTER": 25,
    "PAY_WITHIN": 30,
    "PAY_BEFORE_SLOT": 1,
    "PAY_GRACE": 2,
    "ONLINE_PAYMENT_NOTICE": 1,
    "ATTEMPT_LIFETIME": 10,
    "GATEWAY_ASK_EVERY": 2,
    "GATEWAY_ASK_FOR": 10,
    "SESSION_LENGTH": 5,
    "SLOT_BUFFER": 1,
    "COMPLETE_AFTER": 2,
    "REMIND_FIRST": 15,
    "REMIND_LAST": 8,
    "CANCEL_NOTICE": 10,
    "CANCEL_LINK_LIFETIME": 30,
}
OTHER_POLICY = {
    "UNDO_WINDOW": "0s",
    "SWEEP_EVERY": "1s",
    "BACK_OFF_MOST": "20s",  # all waits of the storm are short; an hour would outlast its calm
    "REFUND_ON_VISITOR_CANCELLATION": "full",
    "TRUSTED_PROXIES": "1",  # each visitor says an address of their own
    "STRANGER_MAILS_PER_HOUR": "100000",
    "STRANGER_MAILS_PER_DAY": "100000",
    "LOOKUP_MISSES_PER_HOUR": "100000",
    "LOOKUP_MISSES_ALL": "1000000",
}


@dataclass
class Stack:
    """All that runs, and where it is reached."""

    folder: Path
    environment: dict[str, str]
    database: Throwaway | None  # None: SQLite
    gateway: str
    seed: int
    pace: float  # 1: the durations above; 0.5: half of them
    parts: dict[str, Part] = field(default_factory=dict)
    supervisor: Supervisor | None = None
    ends: list[Callable[[], None]] = field(default_factory=list)  # what else is gone afterwards
    has_rooms: bool = False  # each online session has one of its own
    second_web: int = 0  # the port of the second host's web; 0: there is none

    @property
    def url(self) -> str:
        return self.environment["PUBLIC_URL"]

    @property
    def provider_url(self) -> str:
        return self.environment["EMAIL_API_URL"]

    @property
    def gateway_url(self) -> str:
        return self.environment[f"{self.gateway.upper()}_URL"]

    @property
    def mail_log(self) -> Path:
        return self.folder / "provider.jsonl"

    @property
    def gateway_log(self) -> Path:
        return self.folder / "gateway.jsonl"

    def named(self, prefix: str) -> list[Part]:
        """The parts whose names begin so."""
        return [part for name, part in self.parts.items() if name.startswith(prefix)]

    def second_host(self) -> list[Part]:
        """Its web, workers and beat."""
        return [part for name, part in self.parts.items() if name.endswith("-2")]

    def add(self, name: str, *command: str, **environment: str) -> None:
        given = self.environment | environment
        self.parts[name] = Part(name, command, given, self.folder / f"{name}.log")

    def start(self) -> None:
        """Everything, and the supervisor; returns when each part works. Raises RuntimeError when one does not."""
        for part in self.parts.values():
            part.start()
        self.supervisor = Supervisor(list(self.parts.values()))
        self.supervisor.start()

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        """Look again until it holds. Raises RuntimeError with what the logs say."""
        deadline = time.monotonic() + START_WITHIN
        while not holds():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{what} did not happen within {START_WITHIN:.0f} s; logs are in {self.folder}")
            time.sleep(0.1)

    def answers(self) -> bool:
        return _answers(f"{self.url}/api/ping/")

    def provider_answers(self) -> bool:
        return _answers(f"{self.provider_url}mailbox?to=nobody")

    def mails_to(self, address: str) -> list[dict[str, Any]]:
        """What the provider accepted for `address`, oldest first."""
        found: list[dict[str, Any]] = requests.get(
            f"{self.provider_url}mailbox", params={"to": address}, timeout=5
        ).json()
        return found

    def stop(self) -> None:
        """Leave no process behind."""
        if self.supervisor is not None:
            self.supervisor.stop()
        for part in self.parts.values():
            if part.process is not None:
                part.end_group()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


@contextmanager
def built(seed: int, *, postgres: bool, pace: float = 1.0, gateway: str = "sandbox") -> Iterator[Stack]:
    """A folder, a database and an environment; the parts are the caller's. All of it is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    # Everything else is off as in the throwaway server, but what was committed must survive the crash
    database = Throwaway(synchronous_commit="on", full_page_writes="on") if postgres else None
    stack = Stack(folder, _environment(folder, database, pace, gateway), database, gateway, seed, pace)
    try:
        yield stack
    finally:
        stack.stop()
        for end in stack.ends:
            end()
        if database is not None:
            database.close()
        if os.environ.get("CHAOS_KEEP") != "1":
            shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: Path, database: Throwaway | None, pace: float, gateway: str) -> dict[str, str]:
    web, provider, bank = _free_ports(3)
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    bin_folder = str(Path(sys.executable).parent)
    return {
        **kept,
        **keys.generate(),
        **{name: f"{max(1, round(seconds * pace))}s" for name, seconds in DURATIONS.items()},
        **OTHER_POLICY,
        "PATH": os.pathsep.join([bin_folder, kept.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENV_FILE": os.devnull,
        "DEBUG": "1",
        "VAR_DIR": str(folder),
        "DATABASE_URL": database.url if database else "",
        "PUBLIC_URL": f"http://127.0.0.1:{web}",
        "PORT": str(web),
        "EMAIL_PROVIDER": "resend",
        "EMAIL_API_KEY": "of-nobody",
        "EMAIL_API_URL": f"http://127.0.0.1:{provider}/",
        "SANDBOX_SECRET": "of-the-storm",
        **gateways.settings(gateway, f"http://127.0.0.1:{bank}"),
    }


def _free_ports(count: int) -> list[int]:
    """Ports below those that outgoing connections take, so that none of them takes one while its owner is dead."""
    found: list[int] = []
    port = 20_000 + os.getpid() % 5_000
    while len(found) < count:
        port += 1
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
    return found


def add_servers(stack: Stack) -> None:
    """What every variant of the stack has: the broker, and the fakes."""
    python = sys.executable
    broker = "import os; from config.local import broker; os.execv(*(lambda c: (c[0], c))(broker.command()))"
    stack.add("broker", python, "-c", broker)
    port = stack.provider_url.rstrip("/").rpartition(":")[2]
    stack.add("provider", python, "-m", "tests.chaos.provider", port, str(stack.mail_log))
    stack.add("gateway", python, "-m", *gateways.program(stack))


def add_service(stack: Stack, *, workers: int = 2) -> None:
    """Ours: web, `workers` a queue, two beats; and a second web where there is a second host."""
    stack.add("web", sys.executable, "-m", "config.web", WEB_WORKERS=str(workers))
    if stack.second_web:
        stack.add("web-2", sys.executable, "-m", "config.web", WEB_WORKERS=str(workers), PORT=str(stack.second_web))
    for number in (1, 2):
        for queue in QUEUES if number <= workers else ():
            stack.add(f"worker-{queue}-{number}", sys.executable, "-m", "workers", queue, NODE_NAME=f"node-{number}")
        stack.add(f"beat-{number}", sys.executable, "-m", "workers", "beat", NODE_NAME=f"node-{number}")


def migrate(stack: Stack, dump: Path | None = None) -> None:
    """The release step, with nothing left to migrate if a `dump` is restored first. Raises CalledProcessError."""
    if dump is not None and stack.database is not None:
        restore = ["pg_restore", "--exit-on-error", "--no-owner", f"--dbname={stack.database.url}", str(dump)]
        subprocess.run(restore, env={**os.environ, "PATH": postgres_tools.path()}, check=True, capture_output=True)
    subprocess.run(
        [sys.executable, "manage.py", "release"], cwd=ROOT, env=stack.environment, check=True, capture_output=True
    )


def lines(path: Path) -> list[dict[str, Any]]:
    """A log of the fakes; a last line that was cut short is left out."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
