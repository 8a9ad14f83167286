"""What the visitor's bank does with one order: by the sandbox gateway's control door, or by that of a fake gateway."""

from __future__ import annotations

import threading
import time
from typing import Any, Protocol

from tests.demo.expectations import Unexpected
from tests.demo.responses import exchange, session

BANK_IS_SILENT_FOR = 3600  # seconds, unless it is told to speak
PAGE_MADE_WITHIN = 15.0  # seconds; the payments worker makes a gateway's page


class Bank(Protocol):
    """`has_pages`: the visitor pays on the gateway's page, and one that is declined takes another try."""

    has_pages: bool

    def sent(self) -> list[str]:
        """All that the gateway was asked, as text, where that is kept."""

    def declines(self, reference: str) -> None:
        """It declines this payment."""

    def pays(self, reference: str) -> None:
        """The visitor pays, before the site asks whether it is done."""

    def begins(self, reference: str) -> None:
        """The visitor does what is needed so that the money can come after the page's end."""

    def captures(self, reference: str) -> None:
        """The money comes, perhaps after the page's end."""

    def takes_its_time(self, reference: str, seconds: float) -> None:
        """It will give money back only that long after it is asked to."""


class Sandbox:
    """At `url`; `key` opens the door. It captures when the site asks."""

    has_pages = False

    def sent(self) -> list[str]:
        return []

    def __init__(self, url: str, key: str) -> None:
        self._url = url.rstrip("/")
        self._session = session(**{"X-Sandbox-Key": key})

    def declines(self, reference: str) -> None:
        self._tell("PUT", f"/orders/{reference}/behaviour", {"behaviour": "decline"})

    def pays(self, reference: str) -> None:
        """Nothing: it captures when it is asked."""

    def begins(self, reference: str) -> None:
        """Nothing: it takes money always."""

    def captures(self, reference: str) -> None:
        self._tell("POST", f"/orders/{reference}/capture", {})

    def takes_its_time(self, reference: str, seconds: float) -> None:
        self._tell("PUT", f"/orders/{reference}/behaviour", {"behaviour": "late", "seconds": seconds})

    def _tell(self, method: str, path: str, body: dict[str, object]) -> None:
        response = exchange(self._session, method, self._url + path, json=body)
        if response.status_code != 200:
            raise Unexpected(f"200 from the gateway's {method} {path}", f"came {response.status_code} {response.text}")


class Pages:
    """A fake gateway with hosted pages at `url`, whose events go to the stack at `hook`.

    `takes_money_late`: also by a page that is closed; without, money that comes late was begun in time.
    """

    has_pages = True

    def __init__(self, url: str, hook: str, *, takes_money_late: bool) -> None:
        self._url, self._takes_money_late = url, takes_money_late
        self._session = session()
        self._payments: dict[str, str] = {}  # of the gateway, by our reference
        self._tell("webhooks", {"url": hook})

    def sent(self) -> list[str]:
        return list(self._answer("journal", {}).json()["sent"])

    def declines(self, reference: str) -> None:
        self._attempt(reference, status="failed")

    def pays(self, reference: str) -> None:
        self._attempt(reference, status="captured")

    def begins(self, reference: str) -> None:
        if not self._takes_money_late:
            self._attempt(reference, status="created", becomes="captured", seconds=BANK_IS_SILENT_FOR)

    def captures(self, reference: str) -> None:
        if self._takes_money_late:
            self._attempt(reference, status="captured", force=True)
        else:
            self._tell("speak", {"payment_id": self._payments[reference]})

    def takes_its_time(self, reference: str, seconds: float) -> None:
        self._tell("refunds", {"payment_id": self._payments[reference]})
        threading.Timer(seconds, self._tell, ("finish_refunds", {})).start()

    def _attempt(self, reference: str, **how: object) -> None:
        """Once its page is made."""
        deadline = time.monotonic() + PAGE_MADE_WITHIN
        while (found := self._answer("attempt", {"reference": reference, **how})).status_code != 200:
            if time.monotonic() > deadline:
                raise Unexpected("a page of the gateway", f"came {found.status_code} {found.text}")
            time.sleep(0.2)
        self._payments[reference] = found.json()["payment"]["id"]

    def _tell(self, action: str, body: dict[str, object]) -> None:
        response = self._answer(action, body)
        if response.status_code != 200:
            raise Unexpected(f"200 from the gateway's {action}", f"came {response.status_code} {response.text}")

    def _answer(self, action: str, body: dict[str, object]) -> Any:
        return exchange(self._session, "POST", f"{self._url}/_control/{action}", json=body)
