"""The server: Stripe's API under `/v1/`, the hosted pages under `/c/pay/`, and the control door."""

from __future__ import annotations

import hmac
import json
import re
from urllib.parse import unquote

from tests.support.fake_gateway.exchange import Ask, Reply
from tests.support.fake_gateway.exchange import page as shown
from tests.support.fake_gateway.server import API, FakeServer
from tests.support.fake_stripe import control, page
from tests.support.fake_stripe.api import answer_to
from tests.support.fake_stripe.books import Books
from tests.support.fake_stripe.idempotency import Keys, Said
from tests.support.fake_stripe.outbox import Outbox
from tests.support.fake_stripe.shelf import Refusal

KEY = "sk_test_" + "F4ke" * 8
WEBHOOK_SECRET = "whsec_" + "f4ke" * 8
VARIABLES = {"STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET}
_BROKEN = (500, b'{"error": {"type": "api_error", "message": "An error occurred"}}')


class FakeStripe(FakeServer):
    PAGES = "/c/pay/"
    books: Books

    def __init__(
        self, *, port: int = 0, webhook_url: str = "", webhook_secret: str = WEBHOOK_SECRET, seed: int = 0
    ) -> None:
        super().__init__(port, webhook_url)
        self.books = Books(Outbox(webhook_secret), self.url)
        self.keys = Keys()
        self.begin(seed=seed)

    def answer(self, ask: Ask, *, is_broken: bool) -> Reply:
        """A 500 has done what was asked, and is remembered as the answer."""
        if not hmac.compare_digest(ask.headers.get("Authorization", "").encode(), f"Bearer {KEY}".encode()):
            raise Refusal(401, "Invalid API Key provided")
        fields = ask.form if ask.method == "POST" else ask.query

        def do() -> Said:
            said = self._do(ask, fields)
            return _BROKEN if is_broken else said

        key = ask.headers.get("Idempotency-Key", "")
        if ask.method != "POST" or not key:
            said, is_old = do(), False
        else:
            said, is_old = self.keys.once(key, ask.path, fields, self.books.now(), do)
        status, body = said
        return Reply(body, status, headers={"Idempotent-Replayed": "true"} if is_old else {})

    def page(self, ask: Ask, name: str) -> Reply:
        self.books.advance()
        session = self.books.sessions.get(name)
        if ask.method == "GET":
            return shown(page.show(session))
        leads_to, html = page.choose(self.books, session, ask.form.get("choice", ""))
        return shown(html, leads_to=leads_to)

    def act(self, action: str, body: control.Body) -> control.Body | None:
        return control.act(self.books, action, body)

    def refusal(self, status: int) -> Refusal:
        words = {
            404: Refusal(404, "not found"),
            409: Refusal(409, "There is another request in progress.", code="idempotency_key_in_use"),
            429: Refusal(429, "Too many requests", code="rate_limit"),
        }
        return words[status]

    def _do(self, ask: Ask, fields: dict[str, str]) -> Said:
        parts = [unquote(part) for part in ask.path.removeprefix(API).split("/")]
        paths = [value for name, value in fields.items() if re.fullmatch(r"expand\[\d*\]", name)]
        rest = {name: value for name, value in fields.items() if not name.startswith("expand[")}
        try:
            return 200, json.dumps(self.books.full(answer_to(self.books, ask.method, parts, rest), paths)).encode()
        except Refusal as refusal:
            return refusal.status, json.dumps(refusal.body).encode()
