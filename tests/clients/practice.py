"""Somebody at the practice who approves each request at the time that its visitor wished for, by the staff API."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.demo.expectations import Unexpected
from tests.demo.responses import exchange, parsed, session

LOOKS_EVERY = 1.0  # seconds


@contextmanager
def at_work(url: str, token: str) -> Iterator[None]:
    """For as long as the block lasts."""
    is_over = threading.Event()
    thread = threading.Thread(target=_work, args=(url, token, is_over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join(timeout=30)


def _work(url: str, token: str, is_over: threading.Event) -> None:
    api, asking = f"{url}/api/staff/bookings/", session(Authorization=f"Token {token}")

    def ask(method: str, path: str, **options: Any) -> dict[str, Any]:
        return parsed(exchange(asking, method, api + path, **options), f"{method} staff/bookings/{path}").accepted()

    while not is_over.wait(LOOKS_EVERY):
        try:
            for row in ask("GET", "?state=PENDING")["bookings"]:
                if row["preferred_slot_start"]:
                    ask("POST", f"{row['acknowledgement_id']}/approve/", json=_wished(row))
        except Unexpected as error:  # whoever waits for the approval says so, too
            sys.stderr.write(f"practice: {error}\n")


def _wished(row: dict[str, Any]) -> dict[str, Any]:
    return {"psychologist_id": row["preferred_psychologist"]["id"], "slot_start": row["preferred_slot_start"]}
