"""The layer between the server and Django: what is too slow or breaks off is answered, and holds nothing."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from config.web import application, limits, sockets
from tests.support import api

pytestmark = pytest.mark.sqlite_only


class Protocol:
    """What granian gives: a body to await, and one answer to make."""

    def __init__(self, body: Awaitable[bytes] | None = None) -> None:
        self.body = body
        self.answers: list[tuple[int, bytes]] = []

    def __call__(self) -> Awaitable[bytes]:
        assert self.body, "nobody should have read it"
        return self.body

    def response_bytes(self, status: int, _headers: list[tuple[str, str]], body: bytes) -> None:
        self.answers.append((status, body))

    def response_empty(self, status: int, _headers: list[tuple[str, str]]) -> None:
        self.answers.append((status, b""))


def scope(method: str = "GET", path: str = "/api/ping/", **headers: str) -> Any:
    return SimpleNamespace(
        scheme="http",
        http_version="1.1",
        client="192.0.2.7:1234",
        server="127.0.0.1:8000",
        method=method,
        path=path,
        query_string="",
        headers={"host": "localhost", **headers},
    )


def ask(protocol: Protocol, request: Any) -> tuple[int, bytes]:
    asyncio.run(application.application.__rsgi__(request, protocol))  # type: ignore[arg-type]  # a part of it
    (answer,) = protocol.answers
    return answer


def test_a_body_that_does_not_come_in_time_is_a_refusal_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_WITHIN", 0.01)
    headers = {"content-type": "application/json", "content-length": "1000"}

    async def never() -> bytes:
        await asyncio.Event().wait()
        return b""

    status, body = ask(Protocol(never()), scope("POST", api.DRAFT, **headers))
    assert (status, json.loads(body)["code"]) == (408, "too_slow")


def test_a_query_may_hold_any_letter_unescaped() -> None:
    request = scope(path="/api/bookings/check-status/")
    request.query_string = "token=&name=ȆÄ\u202e"
    status, body = ask(Protocol(), request)
    assert (status, json.loads(body)["code"]) == (400, "invalid")


@pytest.mark.parametrize("headers", [{}, {"content-length": "131073"}, {"content-length": "-1"}])
def test_a_body_without_a_length_that_may_be_read_is_not_read(headers: dict[str, str]) -> None:
    status, _ = ask(Protocol(), scope("POST", "/admin/login/", **headers))
    assert status == {"131073": 413, "-1": 400}.get(headers.get("content-length", ""), 403)  # 403: no CSRF token


def test_an_answer_that_breaks_off_is_no_half_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaking(_environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"the first line\n"
        raise RuntimeError

    monkeypatch.setattr(application, "django", breaking)
    assert ask(Protocol(), scope()) == (500, b"")


def test_the_kernel_cuts_off_whoever_takes_no_byte_of_an_answer() -> None:
    """Linux closes it then, though the other side still acknowledges: tcp(7)."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sockets.end_unread_answers(limits.ANSWER_WITHIN_MS)
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            found = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
    assert found == limits.ANSWER_WITHIN_MS
