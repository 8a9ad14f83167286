"""Troubles that the control door asks for: the next requests meet them, one each."""

from __future__ import annotations

import threading
from dataclasses import dataclass

# lost: the work is done, and nobody is answered; 409: another ask about the same is under way, so only a POST meets it
KINDS = ("409", "429", "500", "html", "hang", "lost")


@dataclass
class _Owed:
    kind: str
    path: str  # what the path must contain
    times: int


class Troubles:
    """Who asks while one is owed to its path meets it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owed: list[_Owed] = []

    def owe(self, kind: str, *, path: str = "", times: int = 1) -> None:
        assert kind in KINDS, kind
        with self._lock:
            self._owed.append(_Owed(kind, path, times))

    def next_for(self, method: str, path: str) -> str:
        """The kind, "" if none."""
        with self._lock:
            for owed in self._owed:
                if owed.times > 0 and owed.path in path and (owed.kind != "409" or method == "POST"):
                    owed.times -= 1
                    return owed.kind
        return ""
