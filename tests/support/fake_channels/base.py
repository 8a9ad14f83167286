"""What the fakes share: they take messages over real HTTP, fail as they are told, and report what became of each."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from django.conf import LazySettings

# instead of a status, which is answered and nothing taken: it is taken, and then
AS_ASKED, HANGS_UP, HANGS, FAILS = 0, -1, -2, -3
GONE = -4  # nothing is taken, nothing answered
HANGS_FOR = 10.0  # seconds at the longest, which is more than anybody waits

Answer = tuple[int, dict[str, Any] | None]


@dataclass(frozen=True)
class Taken:
    """A message that the person will have, unless a report says otherwise."""

    key: str
    phone: str
    template: str
    language: str
    variables: tuple[str, ...]
    id: str
    at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Hook:
    """One request to us."""

    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Asked:
    """One request to the fake."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def content(self) -> dict[str, Any]:
        """Its object."""
        read: dict[str, Any] = json.loads(self.body)
        return read


class Provider(Protocol):
    """What is each fake's own."""

    name: str  # of the channel
    url: str

    def variables(self) -> dict[str, str]:
        """Those of the environment that lead here."""

    def answer(self, asked: Asked, take: Callable[[str, str, str, str, tuple[str, ...]], str]) -> Answer:
        """As the provider documents it; `take` of key, phone, template, language and variables gives the id."""

    def report(self, taken: Taken, outcome: str, *, forged: bool = False) -> Hook:
        """`outcome`: delivered, failed, or the provider's word for what is neither. `forged`: with another's secret."""

    def says(self, phone: str, text: str, *, forged: bool = False) -> Hook:
        """What somebody writes back."""


@dataclass
class FakeChannel:
    """`trouble`: of each of the next requests; afterwards `chance` says it. `refuses`: what is answered to a phone."""

    provider: Provider
    taken: list[Taken] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    trouble: deque[int] = field(default_factory=deque)
    chance: Callable[[], int] = lambda: AS_ASKED
    refuses: dict[str, Answer] = field(default_factory=dict)
    released: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def configure(self, settings: LazySettings) -> None:
        """A test's messages go here."""
        for name, value in self.provider.variables().items():
            setattr(settings, name, value.split(",") if name.endswith("_TEMPLATES") else value)

    def answer(self, asked: Asked) -> tuple[Answer, int]:
        """What is said, and what goes wrong with saying it; one request at a time."""
        with self._lock:
            self.asked.append(asked)
            trouble = self.trouble.popleft() if self.trouble else self.chance()
            if trouble > 0 or trouble == GONE:
                return (trouble, {"message": "trouble"}), trouble
            return self.provider.answer(asked, self._take), trouble

    def _take(self, key: str, phone: str, template: str, language: str, variables: tuple[str, ...]) -> str:
        refused = self.refuses.get(phone)
        if refused is not None:
            raise Refusal(refused)
        number = f"{self.provider.name}-{len(self.taken) + 1}"
        self.taken.append(Taken(key, phone, template, language, variables, number))
        return number


class Refusal(Exception):
    """A phone that is in `refuses`."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asks may hang up, and is killed in the storm."""


@contextmanager
def serving(provider: Provider) -> Iterator[FakeChannel]:
    """Until the block ends."""
    fake = FakeChannel(provider)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, body)
            try:
                (status, content), trouble = fake.answer(asked)
            except Refusal as refused:
                (status, content), trouble = refused.answer, AS_ASKED
            if trouble == HANGS:
                fake.released.wait(HANGS_FOR)
            if trouble in (HANGS, HANGS_UP, GONE):
                self.close_connection = True
                return
            self._say(*((500, {"message": "trouble"}) if trouble == FAILS else (status, content)))

        def _say(self, status: int, content: dict[str, Any] | None) -> None:
            said = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_arguments: object) -> None:
            """Says nothing."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        provider.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield fake
        finally:
            fake.released.set()
            server.shutdown()
