"""A mail service, Postmark's API as it documents it, that keeps whom it took mails for and may say "later"."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.mail_api import GIVEN
from tests.support.mail_events import secret_of

PROVIDER = "postmark"


@dataclass(frozen=True)
class Mailed:
    """One that it took."""

    to: str
    uuid: str  # ours, which comes again when a worker was killed before it wrote down what became of it
    id: str
    at: float = field(default_factory=time.monotonic)


class Postbox(ThreadingHTTPServer):
    """`is_busy`: asked of each request."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        self.taken: list[Mailed] = []
        self.is_busy: Callable[[], bool] = lambda: False
        super().__init__(("127.0.0.1", 0), _Handler)

    def variables(self) -> dict[str, str]:
        """Those that lead here."""
        given = {**GIVEN, "EMAIL_API_URL": f"http://127.0.0.1:{self.server_port}/"}
        return {**given, "EMAIL_PROVIDER": PROVIDER, "EMAIL_WEBHOOK_SECRET": secret_of(PROVIDER)}

    def handle_error(self, request: object, client_address: object) -> None:
        """Who asks is killed in the storm."""


class _Handler(BaseHTTPRequestHandler):
    server: Postbox
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        if self.server.is_busy():
            self._say(503, {"ErrorCode": 100, "Message": "Maintenance"})
            return
        number = f"pm-{len(self.server.taken) + 1}"
        self.server.taken.append(Mailed(said["To"], said["Metadata"]["message"], number))
        self._say(200, {"ErrorCode": 0, "Message": "OK", "MessageID": number, "To": said["To"], "SubmittedAt": ""})

    def _say(self, status: int, content: dict[str, object]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def open_postbox() -> Iterator[Postbox]:
    """Until the block ends."""
    with Postbox() as made:
        threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield made
        finally:
            made.shutdown()
