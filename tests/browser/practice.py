"""A practice of its own for the browser: SQLite, a hundred bookings in every state, and a real web server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.local import keys
from tests.support import migrated
from tests.support.factor import App
from tests.support.server import ROOT, free_port, wait_for

SIGNS = (
    "from django.utils import timezone; from tests.support import system_health; system_health.busy(now=timezone.now())"
)


@dataclass(frozen=True)
class Practice:
    """Where it is, and who may log in."""

    url: str
    username: str
    password: str
    app: App
    environment: dict[str, str]
    cookies: list[Any] = field(default_factory=list)  # of who has logged in

    def give_signs_of_life(self) -> None:
        """As if workers and beat were at work: a moment later they count as silent again."""
        manage(self.environment, "shell", "-v0", "-c", SIGNS)


@contextmanager
def seeded(bookings: int, **variables: str) -> Iterator[Practice]:
    """Up to the end of the block. `variables` come on top of those of every practice."""
    folder, port = Path(tempfile.mkdtemp(prefix="browser-")), free_port()
    given = {
        **{name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")},
        **keys.generate(),
        "VAR_DIR": str(folder),
        "ENV_FILE": os.devnull,
        "DEBUG": "1",
        "PUBLIC_URL": f"http://localhost:{port}",  # where browsers have passkeys
        "LOGIN_FRESH": "8h",  # the desk logs in once for all tests
        "REDIS_URL": "redis://127.0.0.1:1/0",  # nobody is there: the pages do not care
        **variables,
    }
    try:
        if migrated.kept_file().exists():
            shutil.copyfile(migrated.kept_file(), folder / "db.sqlite3")
        manage(given, "migrate", "-v0")
        seeded = manage(given, "seed_practice", "--hostile", "--bookings", str(bookings))
        told = re.search(r"as (\S+) with the password (\S+).*?the secret (\S+)", seeded, re.DOTALL)
        assert told is not None
        with _server(given, folder, port) as url:
            yield Practice(url, told[1], told[2], App(told[3]), given)
    finally:
        shutil.rmtree(folder)


@contextmanager
def _server(given: dict[str, str], folder: Path, port: int) -> Iterator[str]:
    command = [sys.executable, "-m", "config.web"]
    given = {**given, "PORT": str(port), "WEB_WORKERS": "1", "DATABASE_POOL": "4"}
    with (folder / "log").open("w") as out:
        server = subprocess.Popen(command, cwd=ROOT, env=given, stdout=out, stderr=out)
    try:
        wait_for(f"http://127.0.0.1:{port}/api/ping/", server, folder / "log")
        yield given["PUBLIC_URL"]
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def manage(given: dict[str, str], *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=given, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
