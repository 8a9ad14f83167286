"""What visitors notice of strangers who send or read slowly: `python -m tests.benchmarks.slow_clients [HOW_MANY]`.

Starts `web` on a database of its own, keeps so many slow connections of each kind for ten seconds (40 if not said), and
meanwhile asks 50 times a second: pings, and a look-up in the database every fifth time. On PostgreSQL after
`python -m config.local.postgres --`. No test holds this against a limit: a busy machine is no bug.
"""

from __future__ import annotations

import os
import socket
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import django
import requests

SECONDS = 10
A_SECOND = 50
HEAD = b"POST /api/bookings/draft/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SCRIPT = b"GET /static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
KINDS = {
    "nobody else": None,
    "slow bodies": HEAD + b"Content-Length: 1000\r\n\r\n{",
    "slow heads": HEAD,
    "slow readers": SCRIPT * 20,
    "idle connections": b"",
}


def main() -> None:
    """A line for each kind."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.test.runner import DiscoverRunner

    from tests.support.server import web_server

    many = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    runner = DiscoverRunner(verbosity=0, interactive=False)
    made = runner.setup_databases()
    try:
        with web_server(DEBUG="1") as url:
            for name, sent in KINDS.items():
                with _strangers(url, sent, many):
                    sys.stdout.write(f"{many if sent is not None else 0:5} {name:16} {_measured(url)}\n")
    finally:
        runner.teardown_databases(made)


@contextmanager
def _strangers(url: str, sent: bytes | None, many: int) -> Iterator[None]:
    """Connections that send this and nothing more, and read nothing."""
    parts = urlsplit(url)
    with ExitStack() as open_ones:
        for _ in range(0 if sent is None else many):
            connection = open_ones.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect((parts.hostname, parts.port))
            connection.sendall(sent or b"")
        yield


def _measured(url: str) -> str:
    with ThreadPoolExecutor(A_SECOND) as askers:
        asked = []
        for number in range(SECONDS * A_SECOND):
            asked.append(askers.submit(_ask, url, number))
            time.sleep(1 / A_SECOND)
    answers = [each.result() for each in asked]
    took = statistics.quantiles([milliseconds for _, milliseconds in answers], n=100)
    return f"p50 {took[49]:6.1f} ms  p99 {took[98]:7.1f} ms  {dict(Counter(status for status, _ in answers))}"


def _ask(url: str, number: int) -> tuple[str, float]:
    """Its status, or why there is none, and how long it took."""
    path = "/api/ping/" if number % 5 else "/api/psychologists/"
    before = time.perf_counter()
    try:
        status = str(requests.get(url + path, timeout=5).status_code)
    except requests.RequestException as error:
        status = type(error).__name__
    return status, (time.perf_counter() - before) * 1000


if __name__ == "__main__":
    main()
