"""The sandbox gateway's control door: what the visitor's bank does with one order."""

from __future__ import annotations

from tests.demo.expectations import Unexpected
from tests.demo.responses import exchange, session


class Bank:
    """At `url`; `key` opens the door."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._session = session(**{"X-Sandbox-Key": key})

    def declines(self, reference: str) -> None:
        """It will decline this payment when asked to complete it."""
        self._tell("PUT", f"/orders/{reference}/behaviour", {"behaviour": "decline"})

    def takes_its_time(self, reference: str, seconds: float) -> None:
        """It will give money back only that long after it is asked to."""
        self._tell("PUT", f"/orders/{reference}/behaviour", {"behaviour": "late", "seconds": seconds})

    def captures(self, reference: str) -> None:
        """The visitor pays on the bank's own page."""
        self._tell("POST", f"/orders/{reference}/capture", {})

    def _tell(self, method: str, path: str, body: dict[str, object]) -> None:
        response = exchange(self._session, method, self._url + path, json=body)
        if response.status_code != 200:
            raise Unexpected(f"200 from the gateway's {method} {path}", f"came {response.status_code} {response.text}")
