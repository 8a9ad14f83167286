"""The fake Stripe's doors: the API as Stripe documents it, the hosted page, and a control door for tests."""

from __future__ import annotations

import json
import re
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.stripe.books import Books, How, Refunds, Refusal, Thing

KEY = "sk_test_" + "F4ke" * 8
SECRET = "whsec_" + "f4ke" * 8
DAY = 24 * 60 * 60
SESSION_FIELDS = {  # what the fake takes; Stripe takes more, and refuses what it does not know, as this does
    *("mode", "client_reference_id", "success_url", "cancel_url", "expires_at", "adaptive_pricing[enabled]"),
    "line_items[0][quantity]",
    *(f"line_items[0][price_data][{name}]" for name in ("currency", "unit_amount", "product_data][name")),
    *(r"metadata[*]", r"payment_intent_data[metadata][*]", "payment_intent_data[capture_method]"),
}
REFUND_FIELDS = {"payment_intent", "amount", "metadata[*]", "reason"}

Form = dict[str, str]


@dataclass
class Remembered:
    """The first ask with an idempotency key, and what came of it: None while it is under way."""

    path: str
    form: Form
    at: float
    answer: tuple[int, bytes] | None = None


class FakeStripe(ThreadingHTTPServer):
    """Listens on `address` (host, port), one thread per connection; everything that comes is kept in `sent`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int] = ("127.0.0.1", 0), *, key: str = KEY) -> None:
        self.key = key
        self.sent: list[str] = []
        self.remembered: dict[str, Remembered] = {}
        self.broken: dict[str, int] = {}  # by the end of a path: how many asks more are answered 500, and done
        super().__init__(address, _Handler)
        self.url = f"http://{address[0]}:{self.server_port}"
        self.books = Books(self.url)

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is no error of ours."""


class _Handler(BaseHTTPRequestHandler):
    server: FakeStripe
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve("")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

    def _serve(self, body: str) -> None:
        self.server.sent.append(f"{self.command} {self.path} {dict(self.headers.items())} {body}")
        url = urlsplit(self.path)
        fields = dict(parse_qsl(body if self.command == "POST" else url.query, keep_blank_values=True))
        parts = [unquote(part) for part in url.path[1:].split("/")]
        match parts:
            case ["v1", *_]:
                self._answer_api(url.path, parts[1:], fields)
            case ["c", "pay", session_id]:
                self._answer_page(session_id, fields)
            case ["control", *rest]:
                self._send(200, json.dumps(self._control(rest, fields)).encode())
            case _:
                self._send(404, b"{}")

    # -- the API ------------------------------------------------------------------------------------------------------

    def _answer_api(self, path: str, parts: list[str], fields: Form) -> None:
        if self.headers.get("Authorization") != f"Bearer {self.server.key}":
            error = Refusal(401, "Invalid API Key provided")
            self._send(error.status, json.dumps({"error": error.error}).encode())
            return
        key = self.headers.get("Idempotency-Key", "") if self.command == "POST" else ""
        try:
            replayed = self._recall(key, path, fields) if key else None
        except Refusal as error:
            self._send(error.status, json.dumps({"error": error.error}).encode())
            return
        if replayed is not None:
            self._send(*replayed, {"Idempotent-Replayed": "true"})
            return
        status, answer = self._do(path, parts, fields)
        if key:
            self._remember(key, status, answer)
        self._send(status, answer)

    def _recall(self, key: str, path: str, fields: Form) -> tuple[int, bytes] | None:
        """https://docs.stripe.com/api/idempotent_requests"""
        with self.server.books.lock:
            known = self.server.remembered.get(key)
            if known is None or known.at < time.time() - DAY:
                self.server.remembered[key] = Remembered(path, fields, time.time())
                return None
            if (known.path, known.form) != (path, fields):
                sentence = (
                    "Keys for idempotent requests can only be used with the same parameters they were first used with."
                )
                raise Refusal(400, sentence, kind="idempotency_error")
            if known.answer is None:
                raise Refusal(409, "There is currently another in-progress request.", code="idempotency_key_in_use")
            return known.answer

    def _remember(self, key: str, status: int, answer: bytes) -> None:
        """What was refused before it was begun is forgotten, so that it may be mended; the rest is kept, a 500 too."""
        with self.server.books.lock:
            if status == 400 and b"parameter_" in answer:
                del self.server.remembered[key]
            else:
                self.server.remembered[key].answer = status, answer

    def _do(self, path: str, parts: list[str], fields: Form) -> tuple[int, bytes]:
        expand = [value for name, value in fields.items() if re.fullmatch(r"expand\[\d*\]", name)]
        try:
            thing = self._route(
                parts, {name: value for name, value in fields.items() if not name.startswith("expand[")}
            )
            answer = json.dumps(self.server.books.full(thing, expand)).encode()
        except Refusal as error:
            return error.status, json.dumps({"error": error.error}).encode()
        for end, left in self.server.broken.items():
            if path.endswith(end) and self.command == "POST" and left:
                self.server.broken[end] = left - 1
                return 500, json.dumps(
                    {"error": {"type": "api_error", "message": "An unknown error occurred"}}
                ).encode()
        return 200, answer

    def _route(self, parts: list[str], fields: Form) -> Thing:
        books = self.server.books
        books.advance()
        match (self.command, *parts):
            case ("POST", "checkout", "sessions"):
                return _open_session(books, fields)
            case ("GET", "checkout", "sessions"):
                return _list(books.sessions, fields, ("status", "payment_intent"))
            case ("GET", "checkout", "sessions", id_):
                return books.sessions.get(id_)
            case ("POST", "checkout", "sessions", id_, "expire"):
                return books.expire(id_)
            case ("GET", "payment_intents", id_):
                return books.intents.get(id_)
            case ("POST", "payment_intents", id_, "capture"):
                return books.capture(id_)
            case ("POST", "refunds"):
                _refuse_unknown(fields, REFUND_FIELDS)
                amount = int(fields["amount"])
                return books.refund(
                    intent_id=fields["payment_intent"], amount=amount, metadata=_map(fields, "metadata")
                )
            case ("GET", "refunds"):
                if "payment_intent" in fields:
                    books.intents.get(fields["payment_intent"])
                return _list(books.refunds, fields, ("payment_intent",))
            case ("GET", "payouts"):
                return _list(books.payouts, fields, ("status",))
            case ("GET", "balance_transactions"):
                fields["_payout"] = fields.pop("payout", "")
                return _list(books.booked, fields, ("_payout", "type"))
        raise Refusal(404, f"Unrecognized request URL ({self.command}: /v1/{'/'.join(parts)}).")

    # -- the page and the control door --------------------------------------------------------------------------------

    def _answer_page(self, session_id: str, fields: Form) -> None:
        books = self.server.books
        session = books.sessions.get(session_id)
        if self.command == "POST" and books.pay(session_id, How(fields["how"]), float(fields.get("seconds", 0))):
            declined = fields["how"] == How.DECLINE
            self._send(303, b"", {"Location": self.path if declined else session["success_url"]})
            return
        books.advance()
        self._send(200, _page(session).encode(), {"Content-Type": "text/html"})

    def _control(self, parts: list[str], fields: Form) -> Any:
        """What a test or a storm in another process does; `references` are ours."""
        books = self.server.books
        match parts:
            case ["pay", reference]:
                session = newest(books, reference)
                how, seconds = How(fields.get("how", How.CARD)), float(fields.get("seconds", 0))
                return bool(session) and books.pay(session["id"], how, seconds)
            case ["refunds", become]:
                books.refunds_become[""] = Refunds(become)
            case ["finish_refunds"]:
                books.finish_refunds()
            case ["sessions", reference]:
                return [books.full(each, []) for each in sessions_of(books, reference)]
            case ["sent"]:
                return self.server.sent
        return True

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def sessions_of(books: Books, reference: str) -> list[Thing]:
    """All that were ever made for a reference, oldest first."""
    with books.lock:
        return [each for each in books.sessions.things.values() if each["client_reference_id"] == reference]


def newest(books: Books, reference: str) -> Thing | None:
    return next(reversed(sessions_of(books, reference)), None)


def _open_session(books: Books, fields: Form) -> Thing:
    _refuse_unknown(fields, SESSION_FIELDS)
    for name in ("mode", "success_url", "line_items[0][price_data][product_data][name]"):
        if not fields.get(name):
            raise Refusal(400, f"Missing required param: {name}.", code="parameter_missing", param=name)
    price = "line_items[0][price_data]"
    return books.open_session(
        amount=int(fields[f"{price}[unit_amount]"]) * int(fields["line_items[0][quantity]"]),
        currency=fields[f"{price}[currency]"],
        expires_at=int(fields["expires_at"]) if "expires_at" in fields else None,
        reference=fields.get("client_reference_id", ""),
        metadata=_map(fields, "metadata"),
        success_url=fields["success_url"],
        cancel_url=fields.get("cancel_url"),
        _intent_metadata=_map(fields, "payment_intent_data[metadata]"),
    )


def _list(shelf: Any, fields: Form, by: tuple[str, ...]) -> Thing:
    """The documented filters: equal values, and instants from and until."""
    ranges = [(match[1], match[2], int(value)) for name, value in fields.items() if (match := _range(name))]
    compare = {"gte": int.__ge__, "gt": int.__gt__, "lte": int.__le__, "lt": int.__lt__}

    def is_wanted(thing: Thing) -> bool:
        return all(thing[name] == fields[name] for name in by if fields.get(name)) and all(
            compare[how](thing[name], value) for name, how, value in ranges
        )

    known = {*by, "limit", "starting_after", *(f"{name}[{how}]" for name, how, _ in ranges)}
    _refuse_unknown(fields, known)
    limit = int(fields.get("limit", 10))
    if not 1 <= limit <= 100:
        raise Refusal(400, "Invalid limit", code="parameter_invalid_integer", param="limit")
    return shelf.page(is_wanted, limit, fields.get("starting_after", ""))


def _range(name: str) -> re.Match[str] | None:
    return re.fullmatch(r"(created|arrival_date)\[(gte?|lte?)\]", name)


def _refuse_unknown(fields: Form, known: set[str]) -> None:
    for name in fields:
        if name not in known and re.sub(r"(?<=metadata\])?\[\w+\]$", "[*]", name) not in known:
            raise Refusal(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def _map(fields: Form, prefix: str) -> dict[str, str]:
    found = {name: re.fullmatch(re.escape(prefix) + r"\[(\w+)\]", name) for name in fields}
    return {match[1]: fields[name] for name, match in found.items() if match}


def _page(session: Thing) -> str:
    """The hosted page of a session; one that is over says so."""
    if session["status"] != "open":
        return "<!doctype html><title>Checkout</title><p>This page is over.</p>"
    sum_ = f"{session['currency'].upper()} {session['amount_total'] / 100:.2f}"
    buttons = "".join(f'<button name="how" value="{how}">{how}</button> ' for how in How)
    return (
        f"<!doctype html><title>Checkout</title><p>{sum_}</p>"
        f'<form method="post">{buttons}<input name="seconds" value="5"></form>'
        f'<a href="{session["cancel_url"]}">Back</a>'
    )
