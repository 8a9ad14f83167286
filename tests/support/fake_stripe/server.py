"""The server: Stripe's API under `/v1/`, the hosted pages under `/c/pay/`, and the control door."""

from __future__ import annotations

import hmac
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.fake_gateway.delivery import Delivery, Manner
from tests.support.fake_gateway.trouble import Troubles
from tests.support.fake_stripe import page
from tests.support.fake_stripe.api import answer_to
from tests.support.fake_stripe.books import Books
from tests.support.fake_stripe.control import control
from tests.support.fake_stripe.idempotency import Keys, Said
from tests.support.fake_stripe.outbox import Outbox
from tests.support.fake_stripe.shelf import Refusal

KEY = "sk_test_" + "F4ke" * 8
WEBHOOK_SECRET = "whsec_" + "f4ke" * 8
_HTML = b"<html><body>502 Bad Gateway</body></html>"


class FakeStripe(ThreadingHTTPServer):
    """Listens on `url` once it is made; `stop` ends it. `sent` is everything that was asked of `/v1/`, as text."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, *, port: int = 0, webhook_url: str = "", webhook_secret: str = WEBHOOK_SECRET, seed: int = 0
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.books = Books(Outbox(webhook_secret), self.url)
        self.keys = Keys()
        self.troubles = Troubles()
        self.manner = Manner(webhook_url)
        self.sent: list[str] = []
        self.released = threading.Event()  # ends every hang
        self._delivery = Delivery(self.books, self.manner, seed=seed)
        self._delivery.start()
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.released.set()
        self._delivery.stop()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up waiting is no error of ours."""


class _Handler(BaseHTTPRequestHandler):
    server: FakeStripe
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode(errors="replace")
        path = urlsplit(self.path).path
        try:
            if path.startswith("/v1/"):
                self._api(path, body)
            elif path.startswith("/_control/"):
                self._json(200, self._control(path.removeprefix("/_control/"), json.loads(body or "{}")))
            elif path.startswith("/c/pay/"):
                self._page(path.removeprefix("/c/pay/"), dict(parse_qsl(body)))
            else:
                raise Refusal(404, "not found")
        except Refusal as refusal:
            self._json(refusal.status, refusal.body)

    do_GET = do_POST = _serve  # noqa: N815 (http.server calls these names)

    def _api(self, path: str, body: str) -> None:
        self.server.sent.append(f"{self.command} {self.path} {self.headers} {body}")
        trouble = self.server.troubles.next_for(self.path)
        if trouble == "hang":
            self.server.released.wait(20)
            self.close_connection = True
        elif trouble == "html":
            self._send(502, "text/html", _HTML)
        elif trouble == "429":
            raise Refusal(429, "Too many requests", code="rate_limit")
        else:
            said, is_old = self._answer(path, body, is_broken=trouble == "500")
            if trouble == "lost":
                self.close_connection = True
            else:
                self._send(said[0], "application/json", said[1], **({"Idempotent-Replayed": "true"} if is_old else {}))

    def _answer(self, path: str, body: str, *, is_broken: bool) -> tuple[Said, bool]:
        """A 500 has done what was asked, and is remembered as the answer."""
        if not hmac.compare_digest(self.headers.get("Authorization", "").encode(), f"Bearer {KEY}".encode()):
            raise Refusal(401, "Invalid API Key provided")
        fields = dict(parse_qsl(body if self.command == "POST" else urlsplit(self.path).query, keep_blank_values=True))
        parts = [unquote(part) for part in path.removeprefix("/v1/").split("/")]

        def do() -> Said:
            said = self._do(parts, fields)
            return (500, b'{"error": {"type": "api_error", "message": "An error occurred"}}') if is_broken else said

        key = self.headers.get("Idempotency-Key", "")
        if self.command != "POST" or not key:
            return do(), False
        return self.server.keys.once(key, path, fields, self.server.books.now(), do)

    def _do(self, parts: list[str], fields: dict[str, str]) -> Said:
        books = self.server.books
        paths = [value for name, value in fields.items() if re.fullmatch(r"expand\[\d*\]", name)]
        rest = {name: value for name, value in fields.items() if not name.startswith("expand[")}
        try:
            return 200, json.dumps(books.full(answer_to(books, self.command, parts, rest), paths)).encode()
        except Refusal as refusal:
            return refusal.status, json.dumps(refusal.body).encode()

    def _control(self, action: str, body: dict[str, Any]) -> Any:
        server = self.server
        parts = {"books": server.books, "manner": server.manner, "troubles": server.troubles, "sent": server.sent}
        try:
            return control(action, body, **parts)
        except (KeyError, AssertionError) as error:
            raise Refusal(400, f"control: {error}") from error

    def _page(self, session_id: str, fields: dict[str, str]) -> None:
        books = self.server.books
        books.advance()
        session = books.sessions.get(session_id)
        leads_to, told = "", page.show(session)
        if self.command == "POST":
            leads_to, told = page.choose(books, session, fields.get("choice", ""))
        headers = {"Location": leads_to} if leads_to else {}
        self._send(303 if leads_to else 200, "text/html; charset=utf-8", told.encode(), **headers)

    def _json(self, status: int, told: Any) -> None:
        self._send(status, "application/json", json.dumps(told).encode())

    def _send(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass
