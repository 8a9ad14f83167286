"""The sandbox gateway's own process, on a port of its own, and a small receiver of what it reports."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import requests

from backend.core.errors import Transient
from backend.payments.gateway import Order
from backend.payments.sandbox.adapter import SandboxGateway
from backend.payments.sandbox.wire import Behaviour
from tests.support.server import ROOT, free_port

SECRET = "a secret of this test"
PATIENCE = 20.0  # seconds until something that must happen is called missing; a loaded machine is slow


class Receiver(ThreadingHTTPServer):
    """Our webhook door, as the sandbox sees it: keeps what comes and answers `status`; until `listen`, it is down."""

    daemon_threads = True

    def __init__(self) -> None:
        self.status = 200
        self.received: Queue[tuple[str, bytes, dict[str, str]]] = Queue()
        super().__init__(("127.0.0.1", 0), _ReceiverHandler, bind_and_activate=False)
        self.server_bind()  # the port is ours, so that nobody takes it while the door is down
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    def listen(self) -> None:
        self.server_activate()
        self.thread.start()

    def stop(self) -> None:
        if self.thread.is_alive():
            self.shutdown()
        self.server_close()


class _ReceiverHandler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.put((self.path, body, dict(self.headers.items())))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Sandbox:
    """The sandbox process on a port of its own, and what a test does with it."""

    def __init__(self, folder: Path, public_url: str) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        self.public_url = public_url
        self.gateway = SandboxGateway(self.url, SECRET)
        self.start()

    def start(self) -> None:
        log = (self.folder / "sandbox.log").open("ab")
        self.process = subprocess.Popen(command(), cwd=ROOT, env=self.environment(), stderr=log, stdout=log)
        log.close()
        try:
            until(self.answers)
        except AssertionError:
            self.process.kill()
            raise

    def environment(self) -> dict[str, str]:
        return environment(self.folder, SANDBOX_URL=self.url, PUBLIC_URL=self.public_url)

    def answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / "sandbox.log").read_text()
        return answers(self.gateway)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def control(self, method: str, path: str, **body: object) -> requests.Response:
        headers = {"X-Sandbox-Key": SECRET, "Connection": "close"}
        return requests.request(method, self.url + path, json=body, headers=headers, timeout=PATIENCE)

    def behave(self, reference: str, behaviour: Behaviour, **seconds: float) -> None:
        self.control("PUT", f"/orders/{reference}/behaviour", behaviour=behaviour, **seconds).raise_for_status()


def new_order() -> Order:
    """One that no other test knows."""
    return Order(f"pay_{secrets.token_hex(6)}", 150_000, "INR")


def command() -> list[str]:
    return [sys.executable, "-m", "backend.payments.sandbox"]


def environment(folder: Path, **changes: str) -> dict[str, str]:
    """A process's environment: junk keys, and nothing of this machine's configuration."""
    return {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "DEBUG": "1",
        "SECRET_KEY": "junk",
        "TOKEN_KEY": "junk",
        "FIELD_KEY": "A" * 43 + "=",
        "SANDBOX_SECRET": SECRET,
        "VAR_DIR": str(folder),
        **changes,
    }


def answers(asked: SandboxGateway) -> bool:
    try:
        return asked.fetch_order("nobody's") is None
    except Transient:
        return False


def until(holds: Callable[[], bool], *, within: float = PATIENCE, else_show: Callable[[], str] = str) -> None:
    """Look again and again until it holds, or fail at the deadline with what `else_show` has to say."""
    deadline = time.monotonic() + within
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < deadline, f"did not happen in time\n{else_show()}"
        pause.wait(0.02)
