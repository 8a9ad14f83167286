"""A server of somebody else's that is told of events: it keeps what came, and answers as it is told to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DROPPED, HANGS = 0, -1  # instead of a status
HANGS_FOR = 10.0  # seconds, at the longest


@dataclass(frozen=True)
class Call:
    """One that came, and the status that was answered."""

    headers: dict[str, str]
    body: bytes
    status: int
    at: float = field(default_factory=time.time)

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def said(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.body)
        return told


class WebhookReceiver(ThreadingHTTPServer):
    """Answers 204, or what `answer` says of a call."""

    daemon_threads = True

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answer: Callable[[bytes], int] = lambda _body: 204
        self.released = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://localhost:{self.server_port}/in"

    def taken(self) -> list[Call]:
        """Those that it said it took."""
        return [call for call in self.calls if 200 <= call.status < 300]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who calls may hang up, and is killed in the storm."""


class _Handler(BaseHTTPRequestHandler):
    server: WebhookReceiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status = self.server.answer(body)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.calls.append(Call(headers, body, status))
        if status == HANGS:
            self.server.released.wait(HANGS_FOR)
        if status > 0:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def listening() -> Iterator[WebhookReceiver]:
    """Until the block ends."""
    receiver = WebhookReceiver()
    threading.Thread(target=receiver.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        receiver.shutdown()
        receiver.server_close()
