"""Clients that ask one thing after the other over kept connections, and say how much CPU they took themselves.

Own code of a few lines, because it must be cheap beside what it measures: libraries take more than our reference does.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

CLIENTS = 16
ANSWER_WITHIN = 30.0  # seconds
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass
class Burst:
    """What came back."""

    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)  # seconds
    bodies: list[bytes] = field(default_factory=list)
    seconds: float = 0.0
    own_cpu: float = 0.0  # seconds of these clients

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    @property
    def p99(self) -> float:
        """Milliseconds."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def send(url: str, asked: Iterator[bytes], expected: int, *, seconds: float = 3600, clients: int = CLIENTS) -> Burst:
    """Ask until nothing is left to ask, or the time is over. Raises RuntimeError for any other status."""
    found = Burst()
    began, cpu = time.perf_counter(), time.process_time()
    asyncio.run(_all(url, asked, found, began + seconds, clients))
    found.seconds, found.own_cpu = time.perf_counter() - began, time.process_time() - cpu
    if set(found.statuses) != {expected}:
        raise RuntimeError(f"{url} answered {dict(found.statuses)}: {found.bodies[-1:]}")
    return found


async def _all(url: str, asked: Iterator[bytes], found: Burst, until: float, clients: int) -> None:
    await asyncio.gather(*(_client(url, asked, found, until) for _ in range(clients)))


async def _client(url: str, asked: Iterator[bytes], found: Burst, until: float) -> None:
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    for request in asked:
        began = time.perf_counter()
        writer.write(request)
        status, body = await asyncio.wait_for(_answer(reader), ANSWER_WITHIN)
        ended = time.perf_counter()
        found.statuses[status] += 1
        found.latencies.append(ended - began)
        found.bodies.append(body)
        if ended > until:
            break
    writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return int(head[9:12]), await reader.readexactly(int(length[1]) if length else 0)


def post(path: str, body: dict[str, Any], **headers: str) -> bytes:
    """A request with JSON; a header's name as in `x_forwarded_for`."""
    data = json.dumps(body).encode()
    more = {"content-type": "application/json", "content-length": str(len(data)), **headers}
    return _head("POST", path, more) + data


def get(path: str, **headers: str) -> bytes:
    return _head("GET", path, headers)


def _head(method: str, path: str, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", "accept: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
