"""Real processes of the stack over the test's own database: started, awaited until they work, stopped by their pid."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests
from kombu import Connection

from config.local import procfile
from config.local.child import BROKER
from tests.support.gateway import until
from tests.support.server import ROOT, environment
from workers.app import app

START_WITHIN = 60.0  # seconds; a loaded machine is slow
STOP_WITHIN = 80.0  # seconds from TERM to KILL; supervision gives 30, and a loaded machine is slow


class Process:
    """One process, leader of its own group, and what it wrote."""

    def __init__(self, name: str, command: Sequence[str], given: dict[str, str]) -> None:
        self.path = Path(given["VAR_DIR"]) / f"{name}.log"
        with self.path.open("a") as out:
            self.popen = subprocess.Popen(command, cwd=ROOT, env=given, stdout=out, stderr=out, start_new_session=True)
        self.pid = self.popen.pid

    def log(self) -> str:
        """All it wrote so far."""
        return self.path.read_text()

    def says(self, words: str) -> None:
        """Wait until its log has these words."""

        def said() -> bool:
            assert self.popen.poll() is None or words in self.log(), f"it ended:\n{self.log()}"
            return words in self.log()

        until(said, within=START_WITHIN, else_show=self.log)

    def send(self, number: signal.Signals, *, to_group: bool = False) -> None:
        """Signal the process alone, or with all its children."""
        (os.killpg if to_group else os.kill)(self.pid, number)

    def ended(self, *, within: float = STOP_WITHIN) -> int:
        """Wait for its end; the exit code."""
        try:
            return self.popen.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end in time:\n{self.log()}") from None

    def stop(self) -> int:
        """TERM, and wait for its end."""
        self.send(signal.SIGTERM)
        return self.ended()

    def end(self) -> None:
        """However it stands: gone when this returns, its children too."""
        if self.popen.poll() is None:
            self.send(signal.SIGKILL, to_group=True)
            self.popen.wait()


class Stack:
    """The processes a test started over its database, each with the same environment."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.environment = {
            **environment(folder),
            "REDIS_URL": "",
            "PYTHONUNBUFFERED": "1",
            # The Procfile's bare `python` and `granian` mean those of this interpreter
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            **variables,
        }
        self.broker_url = f"redis+socket://{folder}/valkey.sock"
        self.processes: list[Process] = []
        (folder / "run").mkdir()

    def begin(self, procfile_name: str, name: str = "", **variables: str) -> Process:
        """A process of the Procfile, or the broker; it is not ready yet."""
        if procfile_name == BROKER:
            command = [sys.executable, "-m", "config.local.child", BROKER]
        else:
            command = ["/bin/sh", "-c", f"exec {procfile.processes()[procfile_name]}"]
        process = Process(name or procfile_name, command, {**self.environment, **variables})
        self.processes.append(process)
        return process

    def start_broker(self) -> None:
        """The embedded one, as `make run` has it."""
        self.begin(BROKER).says("Ready to accept connections")

    def worker(self, queue: str, name: str = "", **variables: str) -> Process:
        """A worker of `queue` that takes work."""
        process = self.begin(f"worker-{queue}", name, **variables)
        process.says(" ready.")
        return process

    def web(self, port: int, **variables: str) -> Process:
        """A web process that answers on `port`."""
        process = self.begin("web", f"web-{port}", PORT=str(port), **variables)

        def answers() -> bool:
            assert process.popen.poll() is None, process.log()
            try:
                return requests.get(f"http://127.0.0.1:{port}/api/ping/", timeout=2).ok
            except requests.ConnectionError:
                return False

        until(answers, within=START_WITHIN, else_show=process.log)
        return process

    def wake(self, queue: str, *, times: int = 1) -> None:
        """The wake-up that beat sends."""
        with Connection(self.broker_url) as connection:
            for _ in range(times):
                app.send_task(f"workers.{queue}.drain", queue=queue, connection=connection)

    def senders(self, queue: str) -> set[str]:
        """The processes whose messages lie on a queue."""
        with Connection(self.broker_url) as connection:
            waiting = connection.default_channel.client.lrange(queue, 0, -1)
        return {json.loads(message)["headers"]["origin"] for message in waiting}

    def end(self) -> None:
        """Nothing that was started is left."""
        for process in reversed(self.processes):
            process.end()


@contextmanager
def stack(*, broker: bool = True, **variables: str) -> Iterator[Stack]:
    """A broker with nothing on its queues; whatever the test started is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="stack-"))
    running = Stack(folder, variables)
    try:
        if broker:
            running.start_broker()
        yield running
    finally:
        running.end()
        shutil.rmtree(folder)
