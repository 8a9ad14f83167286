"""A mail provider that speaks Resend's protocol, logs every call before it answers, and can be told to fail.

Run as a process: `python -m tests.chaos.provider PORT LOG`. Its log is one JSON object a line.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.chaos.provider_modes import ProviderMode

HANGS_FOR = 40.0  # seconds; four times what a worker waits


class Provider(ThreadingHTTPServer):
    """What it accepted, by recipient, and the mode that it is in."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, log: Path) -> None:
        self.lock = threading.Lock()
        self.log = log.open("a")
        self.mailboxes: dict[str, list[dict[str, Any]]] = {}
        self.mode, self.mode_ends = ProviderMode.WELL, 0.0
        super().__init__(("127.0.0.1", port), _Handler)

    def current_mode(self) -> ProviderMode:
        with self.lock:
            return self.mode if time.time() < self.mode_ends else ProviderMode.WELL

    def note(self, mail: dict[str, Any], body: bytes, outcome: str) -> None:
        """One line in the log; what was accepted also goes to its recipient."""
        line = {
            "at": time.time(),
            "key": mail["headers"]["Message-ID"].strip("<>").partition("@")[0],
            "message_id": mail["headers"]["Message-ID"],
            "digest": hashlib.sha256(body).hexdigest(),
            "to": mail["to"][0],
            "subject": mail["subject"],
            "text": mail["text"],
            "outcome": outcome,
        }
        with self.lock:
            self.log.write(json.dumps(line) + "\n")
            self.log.flush()
            if outcome.startswith("accepted"):
                self.mailboxes.setdefault(line["to"], []).append(line)


class _Handler(BaseHTTPRequestHandler):
    server: Provider
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    timeout = 120

    def do_GET(self) -> None:
        """A person reads what came."""
        address = parse_qs(urlsplit(self.path).query)["to"][0]
        with self.server.lock:
            mails = list(self.server.mailboxes.get(address, []))
        self._answer(200, mails)

    def do_PUT(self) -> None:
        """The storm sets the mode for some seconds."""
        wanted = json.loads(self._body())
        with self.server.lock:
            self.server.mode, self.server.mode_ends = ProviderMode(wanted["mode"]), time.time() + wanted["seconds"]
        self._answer(200, {})

    def do_POST(self) -> None:
        """A mail."""
        body = self._body()
        mail, mode = json.loads(body), self.server.current_mode()
        if mode in (ProviderMode.FAILING, ProviderMode.BUSY):
            self.server.note(mail, body, mode)
            self._answer(500 if mode is ProviderMode.FAILING else 429, {"message": "not now"})
        elif mode is ProviderMode.HANGING:
            self.server.note(mail, body, mode)
            time.sleep(HANGS_FOR)
            self.close_connection = True
        elif mode is ProviderMode.DROPPING:
            self.server.note(mail, body, "accepted, then dropped")
            self.close_connection = True
        else:
            self.server.note(mail, body, "accepted")
            self._answer(200, {"id": hashlib.sha256(body).hexdigest()[:32]})

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _answer(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """The log has all."""


if __name__ == "__main__":
    Provider(int(sys.argv[1]), Path(sys.argv[2])).serve_forever()
