"""What staff do by the staff API, with a token of their own."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

from tests.demo.expectations import Unexpected
from tests.demo.responses import Answer, exchange, parsed, session


class Staff:
    """Someone of the practice, logged in at `url`."""

    def __init__(self, url: str, token: str) -> None:
        self._api = f"{url}/api/staff/"
        self._session = session(Authorization=f"Token {token}")

    def approve(self, acknowledgement_id: str, slot_start: datetime) -> dict[str, Any]:
        """With any psychologist who is free then; the booking."""
        rows = [row for row in self._psychologists() if row["is_active"]]
        answer = None
        for psychologist in random.sample(rows, k=len(rows)):
            answer = self._approve(acknowledgement_id, slot_start, psychologist["id"])
            if answer.body.get("code") != "slot_taken":
                return answer.accepted("status", "psychologist", "slot_start", "amount")
        raise Unexpected("a psychologist who is free", f"came {answer or 'no psychologist at all'}")

    def approve_with(self, acknowledgement_id: str, slot_start: datetime, psychologist_id: int) -> dict[str, Any]:
        """With this psychologist; the booking."""
        answer = self._approve(acknowledgement_id, slot_start, psychologist_id)
        return answer.accepted("status", "psychologist", "slot_start", "amount")

    def address_of(self, psychologist_id: int) -> str:
        """Where a psychologist reads mail."""
        return next(str(row["email"]) for row in self._psychologists() if row["id"] == psychologist_id)

    def reject(self, acknowledgement_id: str, note: str, **more: object) -> dict[str, Any]:
        """The booking, closed."""
        return self._act(acknowledgement_id, "reject", note_to_visitor=note, despite_hours=True, **more)

    def offer(self, starts: list[datetime]) -> list[dict[str, Any]]:
        """These times of somebody, at whatever hour."""
        who = next(row["id"] for row in self._psychologists() if row["is_active"])
        return [{"psychologist_id": who, "slot_start": start.isoformat()} for start in sorted(starts)]

    def take_money(self, acknowledgement_id: str) -> dict[str, Any]:
        """It was paid at the desk."""
        return self._act(acknowledgement_id, "desk-payment")

    def create(self, form: dict[str, Any]) -> dict[str, Any]:
        """A request taken by telephone."""
        return self._send("POST", "bookings/", json=form).accepted("acknowledgement_id", "status", "origin")

    def booking(self, acknowledgement_id: str) -> dict[str, Any]:
        """All that is known of it."""
        return self._send("GET", f"bookings/{acknowledgement_id}/").accepted("status", "ledger", "payments")

    def _psychologists(self) -> list[dict[str, Any]]:
        return list(self._send("GET", "psychologists/").accepted("psychologists")["psychologists"])

    def _approve(self, acknowledgement_id: str, slot_start: datetime, psychologist_id: int) -> Answer:
        at = slot_start.isoformat()  # the fast profile's sessions begin in seconds, whatever the hour
        decided = {"psychologist_id": psychologist_id, "slot_start": at, "despite_hours": True}
        return self._send("POST", f"bookings/{acknowledgement_id}/approve/", json=decided)

    def _act(self, acknowledgement_id: str, action: str, **decided: object) -> dict[str, Any]:
        return self._send("POST", f"bookings/{acknowledgement_id}/{action}/", json=decided).accepted("status")

    def _send(self, method: str, path: str, **options: Any) -> Answer:
        response = exchange(self._session, method, self._api + path, **options)
        return parsed(response, f"{method} staff/{path}")
