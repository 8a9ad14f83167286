"""What is sent: requests in one another, other protocols, headers that other frameworks heed, held connections."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.demo.mailbox import Mailbox
from tests.security.attacks.target import EVIL, SLOW, Target
from tests.security.proxied import HOST


def smuggled_request(target: Target) -> Iterator[str]:
    """Two lengths in one request: the proxy reads one request, we would read two."""
    inner = f"GET /livez HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
    for lengths in (
        f"Content-Length: {len(inner)}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{inner}",
        f"Content-Length: 0\r\nContent-Length: {len(inner)}\r\n\r\n{inner}",
        f"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{inner}",
        f"Content-Length : 0\r\n\r\n{inner}",
        f"X: y\r\n Content-Length: 3\r\n\r\n{inner}",
        f"Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n{inner}",
    ):
        head = f"POST /api/bookings/check-status/ HTTP/1.1\r\nHost: {HOST}\r\nX-Forwarded-Proto: https\r\n{lengths}"
        answer = target.raw(head.encode(), within=1.0)
        if b"alive" in answer and b" 400 " not in answer.split(b"\r\n")[0]:
            yield f"a second answer came for {lengths.partition(inner)[0]!r}"


def foreign_host(target: Target) -> Iterator[str]:
    """Host and X-Forwarded-Host of somebody else: a mailed link, a redirect or a page would lead there."""
    address = f"host-{time.time_ns()}@example.org"
    body = {"email": address}
    for headers in (
        {"Host": EVIL},
        {"X-Forwarded-Host": EVIL},
        {"Host": f"{HOST}:443@{EVIL}"},
        {"Forwarded": f"host={EVIL}"},
    ):
        answer = target.ask("POST", "/api/bookings/check-status/", json=body, headers=headers)
        pages = [target.ask("GET", path, headers=headers) for path in ("/admin/", "/admin/login/", "/api/docs/")]
        for page in [answer, *pages]:
            if EVIL in page.text or EVIL in page.headers.get("Location", ""):
                yield f"{headers} is repeated by {page.url}"
    time.sleep(3)
    if any(EVIL in mail.text for mail in Mailbox(target.mail).to(address)):
        yield "a mail leads there"


def another_method(target: Target) -> Iterator[str]:
    """Headers and fields that some frameworks take for another method or another address."""
    for headers in (
        *({name: "DELETE"} for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")),
        *({name: "/metrics"} for name in ("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Path", "X-Forwarded-Prefix")),
    ):
        answer = target.ask("GET", "/api/ping/", headers=headers)
        if answer.status_code != 200 or "mindsettler_" in answer.text:
            yield f"{headers} is heeded: {answer.status_code}"
    for path in (
        "//admin/",
        "/admin//",
        "/./admin/",
        "/api/../admin/",
        "/%2e%2e/admin/",
        "/admin/%2e%2e/metrics",
        "/admin;/",
    ):
        answer = target.raw(
            f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nX-Forwarded-Proto: https\r\nConnection: close\r\n\r\n".encode()
        )
        status = answer.split(b" ", 2)[1:2]
        if status and status[0] not in (b"301", b"302", b"400", b"403", b"404"):
            yield f"{path} is answered {status[0].decode()}"


def cached_page(target: Target) -> Iterator[str]:
    """A page about people under an address that caches take for a picture."""
    cookies = {"Cookie": str(target.owner.browser.headers["Cookie"])}
    for path in (
        *("/admin/x.css", "/admin/account/a.png", "/admin/;a.js", "/admin/bookings/booking/a.css"),
        *("/api/staff/bookings/a.css", "/go/cancel/a.css", "/api/bookings/check-status/a.js", "/api/docs/a.css"),
    ):
        answer = target.ask("GET", path, headers=cookies)
        if answer.status_code == 200 or "no-store" not in answer.headers.get("Cache-Control", "no-store"):
            yield f"{path}: {answer.status_code} {answer.headers.get('Cache-Control')}"
    for path in ("/admin/", "/admin/account/", "/admin/bookings/booking/", "/admin/calendar/"):
        answer = target.ask("GET", path, headers=cookies)
        if "no-store" not in answer.headers.get("Cache-Control", ""):
            yield f"{path} may be kept: {answer.status_code} {answer.headers.get('Cache-Control')}"


def held_connections(target: Target) -> Iterator[str]:
    """Three hundred clients that send a byte a second, or nothing: others must be answered meanwhile."""
    place = urlsplit(target.url)
    held = []
    try:
        for number in range(300):
            connection = socket.create_connection((place.hostname or "", place.port or 80), timeout=5)
            connection.sendall(
                (b"POST /api/send-email/ HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n{", b"GET / HT", b"")[
                    number % 3
                ]
            )
            held.append(connection)
        began = time.monotonic()
        statuses = [target.ask("GET", "/api/ping/").status_code for _ in range(5)]
        took = (time.monotonic() - began) / 5
        if set(statuses) != {200} or took > SLOW:
            yield f"others got {statuses} in {took:.1f} s"
    finally:
        for connection in held:
            connection.close()


def another_protocol(target: Target) -> Iterator[str]:
    """HTTP/2 in clear, a WebSocket, HTTP/0.9 and a proxy's request: past limits that are HTTP/1.1's."""
    host = f"Host: {HOST}\r\nConnection: Upgrade"
    key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    https = "X-Forwarded-Proto: https\r\nConnection: close\r\n\r\n"
    for name, text in {
        "h2c": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
        "upgrade": f"GET / HTTP/1.1\r\n{host}, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: \r\n\r\n",
        "websocket": f"GET / HTTP/1.1\r\n{host}\r\nUpgrade: websocket\r\n{key}\r\n\r\n",
        "0.9": "GET /\r\n\r\n",
        "proxy": f"GET http://{EVIL}/ HTTP/1.1\r\nHost: {EVIL}\r\n{https}",
        "connect": f"CONNECT {EVIL}:443 HTTP/1.1\r\nHost: {EVIL}:443\r\n{https}",
    }.items():
        answer = target.raw(text.encode(), within=1.5)
        if answer.startswith((b"HTTP/1.1 101", b"\x00\x00")) or (
            name in ("proxy", "connect") and b" 200 " in answer[:20]
        ):
            yield f"{name}: {answer[:40]!r}"
