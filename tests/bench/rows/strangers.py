"""What visitors notice of strangers who send or read slowly: p99 beside so many of each kind, against nobody else."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle
from urllib.parse import urlsplit

from tests.bench import load
from tests.bench.figures import Figure, Goal, ratio
from tests.bench.rows.requests import Measured, burst
from tests.bench.run import Run

STRANGERS = 40
HEAD = b"POST /api/bookings/draft/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SCRIPT = b"GET /static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
KINDS = {
    "nobody": None,
    "slow bodies": HEAD + b"Content-Length: 1000\r\n\r\n{",
    "slow heads": HEAD,
    "slow readers": SCRIPT * 20,
    "idle connections": b"",
}
ASKED = ("/api/ping/", "/api/ping/", "/api/ping/", "/api/ping/", "/api/psychologists/")
UNNOTICED = Goal(2, 1.1, is_cost=True)


def measure(run: Run) -> list[Figure]:
    """Pings and a look into the database, as one visitor after the other asks them."""
    if run.service:
        run.service.only("web")
    found = run.compare({name: lambda sent=sent: _beside(run, sent) for name, sent in KINDS.items()})
    alone = [one.burst.p99 for one in found.pop("nobody")]
    beside = [
        ratio(f"p99 beside {STRANGERS} {name}", [one.burst.p99 for one in others], alone, UNNOTICED)
        for name, others in found.items()
    ]
    return [Figure("p99 of visitors, nobody else there", alone, "ms"), *beside]


def _beside(run: Run, sent: bytes | None) -> Measured:
    with _strangers(run.url, sent):
        return burst(run, run.url, cycle([load.get(path) for path in ASKED]), 200, clients=4)


@contextmanager
def _strangers(url: str, sent: bytes | None) -> Iterator[None]:
    """Connections that send this and nothing more, and read nothing."""
    parts = urlsplit(url)
    with ExitStack() as open_ones:
        for _ in range(0 if sent is None else STRANGERS):
            connection = open_ones.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect((parts.hostname, parts.port))
            connection.sendall(sent or b"")
        yield
