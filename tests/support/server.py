"""A real web server over the test's own database, for what must be shown through HTTP."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import requests
from django.db import connection

from config.local.procfile import PATH as PROCFILE

ROOT = PROCFILE.parent
START_WITHIN = 60  # seconds; a loaded machine is slow


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def database_url() -> str:
    """The test database, as DATABASE_URL says it."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return ""
    host = quote(values["HOST"] or "localhost", safe="")
    user, password = quote(values["USER"] or ""), quote(values["PASSWORD"] or "")
    port = f":{values['PORT']}" if values["PORT"] else ""
    return f"postgresql://{user}{':' + password if password else ''}@{host}{port}/{values['NAME']}"


def environment(folder: Path, **changes: str) -> dict[str, str]:
    """What a process needs to work on the test's own database, with `folder` for everything else."""
    if connection.vendor == "sqlite":  # it finds the test's file where it looks for its own
        (folder / "db.sqlite3").symlink_to(Path(connection.settings_dict["NAME"]).resolve())
    return {
        **os.environ,
        "VAR_DIR": str(folder),
        "DATABASE_URL": database_url(),
        "ENV_FILE": os.devnull,
        **changes,
    }


@contextmanager
def web_server(**variables: str) -> Iterator[str]:
    """The Procfile's `web`; yields its URL."""
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="web-"))
    given = {
        **environment(folder),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "REDIS_URL": "redis://127.0.0.1:1/0",  # nobody is there: the web tier must not care
        **variables,
    }
    command = [sys.executable, "-m", "config.web"]
    log = folder / "log"
    with log.open("w") as out:
        server = subprocess.Popen(command, cwd=ROOT, env=given, stdout=out, stderr=out, start_new_session=True)
    try:
        wait_for(f"http://127.0.0.1:{port}/api/ping/", server, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)  # its workers too, or they serve on
            server.wait()
        shutil.rmtree(folder)


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if requests.get(url, timeout=1).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise AssertionError(f"the server did not start:\n{log.read_text()}")
