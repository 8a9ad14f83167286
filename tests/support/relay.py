"""A loopback relay between an adapter and its gateway: it keeps what was sent, and makes every trouble of a network."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

DRIP_SECONDS = 0.05  # between two bytes


class Trouble(StrEnum):
    NONE = "none"
    BUSY = "429"
    ERROR = "500"
    PROXY_ERROR = "502 in HTML"
    PROXY_PAGE = "200 in HTML"
    BLOCKED = "403 in HTML"
    REDIRECT = "302"
    HANG = "hangs"
    DRIP_HEAD = "drips its headers"
    DRIP_BODY = "drips its body"
    ENDLESS = "two megabytes"
    LOST = "does it and hangs up"


TROUBLES = [trouble for trouble in Trouble if trouble not in (Trouble.NONE, Trouble.LOST)]  # nothing was done
_PAGE = b"<html><body>Something went wrong</body></html>"
_PAGES = {
    Trouble.BUSY: (429, "application/json", b"{}"),
    Trouble.ERROR: (500, "application/json", b'{"error": {"code": "SERVER_ERROR"}}'),
    Trouble.PROXY_ERROR: (502, "text/html", _PAGE),
    Trouble.PROXY_PAGE: (200, "text/html", _PAGE),
    Trouble.BLOCKED: (403, "text/html", _PAGE),
    Trouble.REDIRECT: (302, "text/html", b""),
    Trouble.ENDLESS: (200, "application/json", b'{"x": "' + b"x" * 2 * 1024 * 1024 + b'"}'),
}


@dataclass(frozen=True)
class Sent:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    port: int = 0  # of the connection that it came by

    def text(self) -> str:
        """All of it, to be searched."""
        return f"{self.method} {self.path} {self.headers} {self.body.decode(errors='replace')}"


class Relay(ThreadingHTTPServer):
    """Listens on `url` and passes everything on to `upstream`, unless it is told to make trouble."""

    daemon_threads = True

    def __init__(self, upstream: str, *, tls: ssl.SSLContext | None = None) -> None:
        self.upstream = urlsplit(upstream)
        self.trouble = Trouble.NONE
        self.sent: list[Sent] = []
        self.released = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @contextmanager
    def making(self, trouble: Trouble) -> Iterator[None]:
        """Every request of the block meets this trouble."""
        self.trouble = trouble
        self.released.clear()
        try:
            yield
        finally:
            self.trouble = Trouble.NONE
            self.released.set()

    def stop(self) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """An adapter that hung up is what is tested here."""


class _Handler(BaseHTTPRequestHandler):
    server: Relay
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.sent.append(Sent(self.command, self.path, dict(self.headers.items()), body, self.client_address[1]))
        match self.server.trouble:
            case Trouble.NONE:
                self._send(*self._pass_on(body))
            case Trouble.LOST:
                self._pass_on(body)
                self.close_connection = True
            case Trouble.HANG:
                self.server.released.wait(20)
                self.close_connection = True
            case Trouble.DRIP_HEAD:
                self._drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1_000)
            case Trouble.DRIP_BODY:
                self._drip(b" " * 1_000, begin=b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            case trouble:
                self._send(*_PAGES[trouble])

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815 (http.server calls these names)

    def _pass_on(self, body: bytes) -> tuple[int, str, bytes]:
        onward = HTTPConnection(self.server.upstream.hostname or "", self.server.upstream.port, timeout=20)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        onward.request(self.command, self.path, body=body or None, headers={**headers, "Connection": "close"})
        answer = onward.getresponse()
        told = answer.status, answer.headers.get("Content-Type", ""), answer.read()
        onward.close()
        return told

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", "1")
        if status == 302:
            self.send_header("Location", f"{self.server.url}/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    def _drip(self, told: bytes, *, begin: bytes = b"") -> None:
        self.close_connection = True
        self.wfile.write(begin)
        for number in told:
            self.wfile.write(bytes([number]))
            self.wfile.flush()
            if self.server.released.wait(DRIP_SECONDS):
                return

    def log_message(self, format: str, *args: Any) -> None:
        pass
