"""The server: Razorpay's API under `/v1/` with Basic auth, the hosted pages under `/l/`, and the control door."""

from __future__ import annotations

import base64
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.fake_gateway.delivery import Delivery, Manner
from tests.support.fake_gateway.trouble import Troubles
from tests.support.fake_razorpay import page
from tests.support.fake_razorpay.api import answer_to
from tests.support.fake_razorpay.books import Books
from tests.support.fake_razorpay.control import control
from tests.support.fake_razorpay.errors import Rejected
from tests.support.fake_razorpay.events import Outbox

KEY_ID, KEY_SECRET, WEBHOOK_SECRET = "rzp_test_A1B2C3D4E5F6G7", "fake-key-secret-of-tests", "fake-webhook-secret"
ACCOUNT_ID = "acc_F4k3Acc0unt1d0"
_BODY = b"<html><body>502 Bad Gateway</body></html>"


class FakeRazorpay(ThreadingHTTPServer):
    """Listens on `url` once it is made; `stop` ends it. `sent` is everything that was asked of `/v1/`, as text."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, *, port: int = 0, webhook_url: str = "", webhook_secret: str = WEBHOOK_SECRET, seed: int = 0
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.books = Books(Outbox(ACCOUNT_ID, webhook_secret), self.url)
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
    server: FakeRazorpay
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        try:
            if path.startswith("/v1/"):
                self._api(body)
            elif path.startswith("/_control/"):
                self._json(200, self._control(path.removeprefix("/_control/"), body))
            elif path.startswith("/l/"):
                self._page(path.removeprefix("/l/"), body)
            else:
                raise Rejected("The requested URL was not found on the server.", status=404)
        except Rejected as rejected:
            self._json(rejected.status, rejected.body)

    do_GET = do_POST = _serve  # noqa: N815 (http.server calls these names)

    def _api(self, body: bytes) -> None:
        self.server.sent.append(f"{self.command} {self.path} {self.headers} {body.decode(errors='replace')}")
        trouble = self.server.troubles.next_for(self.path)
        if trouble == "hang":
            self.server.released.wait(20)
            self.close_connection = True
        elif trouble == "html":
            self._send(502, "text/html", _BODY)
        elif trouble in ("429", "500"):
            raise Rejected("Too many requests" if trouble == "429" else "Server error", status=int(trouble))
        else:
            told = self._answer(body)
            if trouble == "lost":
                self.close_connection = True
            else:
                self._json(200, told)

    def _answer(self, body: bytes) -> Any:
        given = self.headers.get("Authorization", "")
        right = "Basic " + base64.b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode()
        if not hmac.compare_digest(given.encode(), right.encode()):
            raise Rejected("Authentication failed", status=401)
        address = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(address.query).items()}
        parts = address.path.removeprefix("/v1/").strip("/").split("/")
        key = self.headers.get("X-Refund-Idempotency")
        return answer_to(self.server.books, self.command, parts, query, _parsed(body), key)

    def _control(self, action: str, body: bytes) -> Any:
        server = self.server
        try:
            return control(
                action,
                _parsed(body),
                books=server.books,
                manner=server.manner,
                troubles=server.troubles,
                sent=server.sent,
            )
        except (KeyError, AssertionError) as error:
            raise Rejected(f"control: {error}") from error

    def _page(self, link_id: str, body: bytes) -> None:
        books = self.server.books
        if self.command == "GET":
            self._send(200, "text/html; charset=utf-8", page.show(books.open_page(link_id)).encode())
            return
        choice = parse_qs(body.decode()).get("choice", [""])[-1]
        leads_to, shown = page.choose(books, link_id, choice, KEY_SECRET)
        self._send(303 if leads_to else 200, "text/html; charset=utf-8", shown.encode(), location=leads_to)

    def _json(self, status: int, told: Any) -> None:
        self._send(status, "application/json", json.dumps(told).encode())

    def _send(self, status: int, kind: str, body: bytes, *, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if status == 429:
            self.send_header("Retry-After", "1")
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError as error:
        raise Rejected("The request body is not JSON") from error
    if not isinstance(found, dict):
        raise Rejected("The request body is not an object")
    return found
