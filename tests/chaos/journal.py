"""What the storm itself did and saw: every request with its answer, every fault with its span. Safe from any thread."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from tests.chaos.faults import Kind

UNREACHED = 0  # the status of a request that came back with no answer at all


@dataclass(frozen=True)
class Request:
    """`at` is Unix seconds when it was sent; `took` seconds until its answer."""

    at: float
    door: str
    status: int
    took: float

    @property
    def failed(self) -> bool:
        """No answer, or one that blames us."""
        return self.status == UNREACHED or self.status >= 500


@dataclass
class Happened:
    """A fault as it was injected: who was hit, since when (Unix seconds), until when."""

    kind: Kind
    victim: str
    at: float
    until: float


@dataclass
class Journal:
    requests: list[Request] = field(default_factory=list)
    faults: list[Happened] = field(default_factory=list)
    promised: set[str] = field(default_factory=set)  # addresses whose draft was answered with a 201
    untold: dict[str, float] = field(default_factory=dict)  # captures without an event: our reference, and since when
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def request(self, request: Request) -> None:
        with self._lock:
            self.requests.append(request)

    def fault(self, kind: Kind, victim: str) -> Happened:
        """It begins now; its end is entered by the one who ends it."""
        happened = Happened(kind, victim, time.time(), time.time())
        with self._lock:
            self.faults.append(happened)
        return happened

    def promise(self, address: str) -> None:
        with self._lock:
            self.promised.add(address)

    def capture_untold(self, reference: str) -> None:
        """The gateway has just captured it, and tells nobody."""
        with self._lock:
            self.untold[reference] = time.time()

    def of(self, *kinds: Kind) -> list[Happened]:
        return [fault for fault in self.faults if fault.kind in kinds]
