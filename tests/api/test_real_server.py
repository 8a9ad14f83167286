"""What only a real server shows: bytes that Django's test client cannot send, and answers without reading."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import pytest

from tests.support import api
from tests.support.server import web_server

pytestmark = pytest.mark.sqlite_only

ORIGIN = "https://www.example.org"
LONG = b"Content-Type: application/json\r\nContent-Length: 10485760\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with web_server(CORS_ORIGINS=ORIGIN, ALLOWED_HOSTS="127.0.0.1", DEBUG="1", WEB_WORKERS="1") as url:
        yield url


def send(url: str, head: bytes, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    """Status, headers in lower case and body of the answer to these bytes; `HOST` stands for the server's own."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(head.replace(b"HOST", parts.netloc.encode()) + b"Connection: close\r\n\r\n")
        with suppress(ConnectionError):  # answered and closed before the body was through
            connection.sendall(body)
        answer = b""
        while received := connection.recv(65536):
            answer += received
    top, _, content = answer.partition(b"\r\n\r\n")
    first, *lines = top.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split()[1]), headers, content


def error_of(answer: tuple[int, dict[str, str], bytes], status: int, *, to_site: bool = True) -> None:
    found, headers, content = answer
    assert found == status, content
    assert headers["content-type"] == "application/json"
    assert headers.get("access-control-allow-origin") == (ORIGIN if to_site else None)
    assert "origin" in headers["vary"]
    body = json.loads(content[content.index(b"{") : content.rindex(b"}") + 1])  # chunked or not
    assert body["detail"]
    assert body["code"]


def head(line: str, *, host: str = "HOST") -> bytes:
    return f"{line} HTTP/1.1\r\nHost: {host}\r\nOrigin: {ORIGIN}\r\n".encode("latin-1")


def test_a_body_of_ten_megabytes_is_refused_whether_it_comes_or_not(server: str) -> None:
    for body in (b"", b"x" * 1024, b"x" * 10_485_760):
        error_of(send(server, head(f"POST {api.DRAFT}") + LONG, body), 413)


def test_hosts_that_are_not_ours(server: str) -> None:
    for host in ("evil.example", "127.0.0.1:x", "[", "\xff"):
        answer = send(server, head(f"GET {api.SUPPORT}", host=host))
        if answer[1].get("content-type"):  # the server itself refuses what is no host at all
            error_of(answer, 400)
        assert answer[0] == 400


@pytest.mark.parametrize("charset", ["charset=zlib", "charset*=foo''x", "charset=undefined"])
def test_content_types_that_django_cannot_take(server: str, charset: str) -> None:
    kind = f"Content-Type: application/json; {charset}\r\nContent-Length: 2\r\n".encode()
    error_of(send(server, head(f"POST {api.DRAFT}") + kind, b"{}"), 415)
    error_of(send(server, head(f"GET {api.STATUS}") + kind, b"{}"), 400)


@pytest.mark.parametrize(
    "path", ["/api/%00/", "/api/%ff%fe/", "/api/\xc3\xa9/", "/api/%E4%BD%A0", "/api", "/api/x?%ff"]
)
def test_paths_that_are_no_text(server: str, path: str) -> None:
    error_of(send(server, head(f"GET {path}")), 404)


def test_a_chunked_body_is_an_error_in_json(server: str) -> None:
    chunked = b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    error_of(send(server, head(f"POST {api.STATUS}") + chunked, b"2\r\n{}\r\n0\r\n\r\n"), 400)


def test_unknown_methods(server: str) -> None:
    for method in ("FOO", "PROPFIND", "DELETE"):
        answer = send(server, head(f"{method} {api.SUPPORT}"))
        error_of(answer, 405)
        assert answer[1]["allow"] == "GET, HEAD, OPTIONS"


def test_an_answer_to_head_has_no_body(server: str) -> None:
    for path, status in (("/api/ping/", 200), ("/api/nothing/", 404)):
        found, headers, content = send(server, head(f"HEAD {path}"))
        assert (found, headers["content-type"], content) == (status, "application/json", b"")


def test_pings_are_answered(server: str) -> None:
    for path in api.PINGS:
        found, headers, content = send(server, head(f"GET {path}"))
        assert (found, headers["access-control-allow-origin"]) == (200, ORIGIN)
        assert json.loads(content) == {"status": "ok"}


SLOW_BODY = head(f"POST {api.DRAFT}") + b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
UNREAD_ANSWERS = (head("GET /static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js") + b"\r\n") * 20


@contextmanager
def strangers(url: str, sent: bytes) -> Iterator[None]:
    """Forty connections that send this, and then neither send nor read."""
    parts = urlsplit(url)
    with ExitStack() as open_ones:
        for _ in range(40):
            connection = open_ones.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect((parts.hostname, parts.port))
            connection.sendall(sent.replace(b"HOST", parts.netloc.encode()))
        yield


@pytest.mark.parametrize("sent", [SLOW_BODY, SLOW_BODY[:60], UNREAD_ANSWERS], ids=["body", "head", "answer"])
def test_others_are_answered_while_strangers_send_or_read_slowly(server: str, sent: bytes) -> None:
    with strangers(server, sent):
        for _ in range(20):
            assert send(server, head("GET /api/ping/"))[0] == 200


def test_half_a_body_is_not_taken_for_the_whole(server: str) -> None:
    parts = urlsplit(server)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as connection:
        connection.sendall(SLOW_BODY.replace(b"HOST", parts.netloc.encode()) + b"}")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


def test_a_head_longer_than_any_honest_one_is_refused_by_the_server(server: str) -> None:
    for line in (b"Cookie: a=" + b"b" * 20_000 + b"\r\n", b"X: y\r\n" * 200):
        assert send(server, head("GET /api/ping/") + line)[0] == 431


@pytest.mark.parametrize(
    "line",
    [
        b'Content-Type: application/json;a="' + b";" * 15_000 + b'"',
        b'Cookie: a="' + b"\\" * 15_000 + b'"',
        b"If-None-Match: " + b'"",' * 5_000,
        b'Cookie: a="' + b'\\"' * 1_500 + b'"\r\nCookie: b="' + b'\\"' * 1_500 + b'"',
    ],
)
def test_a_long_header_is_refused_before_it_is_parsed(server: str, line: bytes) -> None:
    error_of(send(server, head(f"POST {api.DRAFT}") + line + b"\r\nContent-Length: 2\r\n", b"{}"), 431)
    assert send(server, head("GET /admin/login/") + line + b"\r\n")[0] == 431


def test_a_name_with_an_underscore_passes_for_no_other_header(server: str) -> None:
    answer = send(server, head("GET /api/ping/") + b"X_Correlation_ID: 12345678-abcd\r\n")
    assert answer[1]["x-correlation-id"] != "12345678-abcd"
