"""The server: Razorpay's API under `/v1/` with Basic auth, the hosted pages under `/l/`, and the control door."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

from tests.support.fake_gateway.exchange import Ask, Reply, told
from tests.support.fake_gateway.exchange import page as shown
from tests.support.fake_gateway.server import API, FakeServer
from tests.support.fake_razorpay import control, page
from tests.support.fake_razorpay.api import answer_to
from tests.support.fake_razorpay.books import Books
from tests.support.fake_razorpay.errors import Rejected
from tests.support.fake_razorpay.events import Outbox

KEY_ID, KEY_SECRET, WEBHOOK_SECRET = "rzp_test_A1B2C3D4E5F6G7", "fake-key-secret-of-tests", "fake-webhook-secret"
VARIABLES = {
    "RAZORPAY_KEY_ID": KEY_ID,
    "RAZORPAY_KEY_SECRET": KEY_SECRET,
    "RAZORPAY_WEBHOOK_SECRET": WEBHOOK_SECRET,
}
ACCOUNT_ID = "acc_F4k3Acc0unt1d0"
_WORDS = {
    404: "The requested URL was not found on the server.",
    409: "Request failed because another request is in progress",
    429: "Too many requests",
    500: "Server error",
}


class FakeRazorpay(FakeServer):
    PAGES = "/l/"
    books: Books

    def __init__(
        self, *, port: int = 0, webhook_url: str = "", webhook_secret: str = WEBHOOK_SECRET, seed: int = 0
    ) -> None:
        super().__init__(port, webhook_url)
        self.books = Books(Outbox(ACCOUNT_ID, webhook_secret), self.url)
        self.begin(seed=seed)

    def answer(self, ask: Ask, *, is_broken: bool) -> Reply:
        """A 500 has done nothing."""
        if is_broken:
            raise self.refusal(500)
        right = "Basic " + base64.b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode()
        if not hmac.compare_digest(ask.headers.get("Authorization", "").encode(), right.encode()):
            raise Rejected("Authentication failed", status=401)
        parts = ask.path.removeprefix(API).strip("/").split("/")
        key = ask.headers.get("X-Refund-Idempotency")
        return told(answer_to(self.books, ask.method, parts, ask.query, _parsed(ask.body), key))

    def page(self, ask: Ask, name: str) -> Reply:
        if ask.method == "GET":
            return shown(page.show(self.books.open_page(name)))
        leads_to, html = page.choose(self.books, name, ask.form.get("choice", ""), KEY_SECRET)
        return shown(html, leads_to=leads_to)

    def act(self, action: str, body: control.Body) -> control.Body | None:
        return control.act(self.books, action, body)

    def refusal(self, status: int) -> Rejected:
        return Rejected(_WORDS[status], status=status)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError as error:
        raise Rejected("The request body is not JSON") from error
    if not isinstance(found, dict):
        raise Rejected("The request body is not an object")
    return found
