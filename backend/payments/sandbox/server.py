"""The sandbox gateway's HTTP API: one door per path, JSON in and out, the key in a header."""

from __future__ import annotations

import hmac
import json
import sys
import time
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias
from urllib.parse import unquote

from backend.core.outgoing.fields import Fields, Malformed
from backend.payments.gateway import Order, OrderReport, RefundOrder, RefundReport, SettledItem
from backend.payments.sandbox.store import Conflict, Store, Unknown
from backend.payments.sandbox.wire import KEY_HEADER, Behaviour, Instruction, read_instant, read_instruction
from backend.payments.written import write

MAX_BODY_BYTES = 16 * 1024  # far above any honest request

Report: TypeAlias = OrderReport | RefundReport | Instruction
Answer: TypeAlias = Report | Sequence[OrderReport] | Sequence[RefundReport] | Sequence[SettledItem]


class HangUp(Exception):
    """Close the connection without an answer."""


class SandboxServer(ThreadingHTTPServer):
    """Listens on `address` (host, port), one thread per connection. Raises OSError if the port is taken."""

    daemon_threads = True  # an idle kept-alive connection must not hold up a stop
    request_queue_size = 128  # the default of 5 drops connections when many visitors pay at once

    def __init__(self, address: tuple[str, int], store: Store, secret: str) -> None:
        self.store = store
        self.secret = secret
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, as one does before a SLOW answer, is no error of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: SandboxServer
    protocol_version = "HTTP/1.1"  # keep-alive
    timeout = 120  # seconds an idle connection is kept
    wbufsize = -1  # head and body leave in one packet
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        try:
            fields = self._read()
            self._send(HTTPStatus.OK, write(self._answer(fields)))
        except HangUp:
            self.close_connection = True
        except Malformed as error:
            self._send(HTTPStatus.BAD_REQUEST, {"detail": str(error)})
        except PermissionError as error:
            self._send(HTTPStatus.UNAUTHORIZED, {"detail": str(error)})
        except Unknown as error:
            self._send(HTTPStatus.NOT_FOUND, {"detail": str(error)})
        except Conflict as error:
            self._send(HTTPStatus.CONFLICT, {"detail": str(error)})

    do_GET = do_PUT = do_POST = _serve  # noqa: N815 (http.server calls these names)

    def _answer(self, fields: Fields) -> Answer:
        store, now = self.server.store, time.time()
        match (self.command, *[unquote(part) for part in self.path[1:].split("/")]):
            # the control door, which no behaviour closes
            case ("PUT", "behaviour"):
                return store.instruct(None, read_instruction(fields), now)
            case ("PUT", "orders", reference, "behaviour") if reference:
                return store.instruct(reference, read_instruction(fields), now)
            case ("POST", "orders", reference, "capture"):
                return store.capture(reference, now)
            # the gateway
            case ("PUT", "orders", reference) if reference:
                self._reach(reference, now)
                return store.open_order(Order(reference, fields.paise("amount_paise"), fields.currency()))
            case ("GET", "orders", reference):
                self._reach(reference, now)
                return store.order(reference)
            case ("POST", "orders", reference, "complete"):
                instruction = self._reach(reference, now)
                return _slowly(instruction, store.complete(reference, instruction, now))
            case ("PUT", "refunds", reference) if reference:
                paid_by = fields.text("payment_reference")
                refund = RefundOrder(reference, paid_by, fields.paise("amount_paise"), fields.currency())
                instruction = self._reach(paid_by, now)
                return _slowly(instruction, store.refund(refund, instruction, now))
            case ("GET", "orders", reference, "refunds"):
                self._reach(reference, now)
                return store.refunds_of(reference)
            case ("GET", "captures", since):
                self._reach("", now)
                return store.captures_since(read_instant(since))
            case ("GET", "settlements", since, until):
                self._reach("", now)
                return store.settled_between(read_instant(since), read_instant(until))
        raise Unknown(f"no such door: {self.command} {self.path}")

    def _reach(self, reference: str, now: float) -> Instruction:
        """How to treat an ask about this order; hangs up while it is UNREACHABLE."""
        instruction = self.server.store.instruction(reference, now)
        if instruction.behaviour == Behaviour.UNREACHABLE:
            raise HangUp
        return instruction

    def _read(self) -> Fields:
        """The JSON body, {} if there is none; read before anything is refused, to leave the connection usable."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not _is_length(length):
            self.close_connection = True
            raise Malformed(f"the body must state its length, at most {MAX_BODY_BYTES} bytes")
        body = self.rfile.read(int(length))
        key = self.headers.get(KEY_HEADER, "").encode("latin-1")
        if not hmac.compare_digest(key, self.server.secret.encode()):
            raise PermissionError(f"{KEY_HEADER} is missing or wrong")
        return Fields.parse(body) if body else Fields({})

    def _send(self, status: HTTPStatus, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a line per request would drown what matters."""


def _is_length(text: str) -> bool:
    """A number of bytes that we take; thousands of digits are none that Python would read."""
    return text.isdecimal() and len(text) < 10 and int(text) <= MAX_BODY_BYTES


def _slowly(instruction: Instruction, report: Report) -> Report:
    """Hold back the answer of a SLOW gateway; what it reports has happened, and its webhook is on its way."""
    if instruction.behaviour == Behaviour.SLOW:
        time.sleep(instruction.seconds)
    return report
