"""What a visitor's bank does in the storm, on the gateway's own page; that is no request to us."""

from __future__ import annotations

import time
from typing import Any

import requests

from tests.chaos import door
from tests.chaos.journal import Journal

PAGE_WITHIN = 25.0  # seconds that a visitor waits for the page, which the payments worker makes
LOOKS_EVERY = 0.3  # seconds


class Sandbox:
    """It has no pages."""

    def __init__(self, url: str, secret: str) -> None:
        self._url, self._headers = url, {"X-Sandbox-Key": secret}

    def captures(self, reference: str) -> None:
        self._ask("POST", f"/orders/{reference}/capture")

    def declines(self, reference: str) -> None:
        self._ask("PUT", f"/orders/{reference}/behaviour", behaviour="decline")

    def _ask(self, method: str, path: str, **body: object) -> None:
        requests.request(method, self._url + path, json=body, headers=self._headers, timeout=10)


class Pages:
    """By the control door of a fake. Each act gives the gateway's id of the payment, "" if no money was taken."""

    def __init__(self, url: str, journal: Journal, *, takes_money_late: bool) -> None:
        self._url, self._journal = url, journal
        self.takes_money_late = takes_money_late  # also once the page is closed or paid

    def captures(self, reference: str, **how: object) -> str:
        return self._try(reference, status="captured", **how)

    def captures_untold(self, reference: str) -> str:
        """No event tells of it."""
        if payment := self._try(reference, status="captured", silent=True):
            self._journal.capture_untold(reference)
        return payment

    def declines(self, reference: str, **how: object) -> str:
        return self._try(reference, status="failed", **how)

    def grants(self, reference: str) -> str:
        """It is authorised, and not captured."""
        return self._try(reference, status="authorized")

    def takes_its_time(self, reference: str, *, becomes: str, seconds: float) -> str:
        """The bank speaks later."""
        return self._try(reference, status="created", becomes=becomes, seconds=seconds)

    def holds_refunds(self, payment: str) -> None:
        """Until the storm is over."""
        door.tell(self._url, "refunds", payment_id=payment)

    def _try(self, reference: str, **how: object) -> str:
        deadline = time.monotonic() + PAGE_WITHIN
        while time.monotonic() < deadline:
            answer = door.tell(self._url, "attempt", reference=reference, **how)
            if answer.ok:
                payment: dict[str, Any] | None = answer.json()["payment"]
                return str(payment["id"]) if payment else ""
            time.sleep(LOOKS_EVERY)
        return ""
