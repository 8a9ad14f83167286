"""What a fake is asked and answers over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from tests.support.fake_gateway.errors import ErrorAnswer


@dataclass(frozen=True)
class Ask:
    """A request. `target` is its address with the query."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))


@dataclass(frozen=True)
class Reply:
    """An answer."""

    body: bytes
    status: int = 200
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def told(what: object, status: int = 200) -> Reply:
    return Reply(json.dumps(what).encode(), status)


def page(html: str, *, leads_to: str = "") -> Reply:
    """The browser is led on if there is somewhere to lead it to."""
    headers = {"Location": leads_to} if leads_to else {}
    return Reply(html.encode(), 303 if leads_to else 200, "text/html; charset=utf-8", headers)


class Server(Protocol):
    def reply(self, ask: Ask) -> Reply | None:
        """None: nobody is answered. Raises ErrorAnswer."""


class Handler(BaseHTTPRequestHandler):
    """Reads the ask, and writes what `server` replies."""

    server: Server  # type: ignore[assignment]  # one that replies
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            reply = self.server.reply(Ask(self.command, self.path, self.headers, body))
        except ErrorAnswer as error:
            reply = told(error.body, error.status)
        if reply is None:
            self.close_connection = True
        else:
            self._send(reply)

    do_GET = do_POST = _serve  # noqa: N815 (http.server calls these names)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        again = {"Retry-After": "1"} if reply.status == 429 else {}
        own = {"Content-Type": reply.kind, "Content-Length": str(len(reply.body))}
        for name, value in {**own, **again, **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: Any) -> None:
        pass
