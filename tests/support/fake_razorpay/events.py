"""The webhooks that Razorpay owes: each with an id of its own, signed with the secret of the moment it was made."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from tests.support.fake_razorpay.ids import new_id


@dataclass
class Webhook:
    """One event, and how its delivery goes. `next_at` is Unix seconds; None: delivered, given up, or kept silent."""

    event_id: str
    event: str
    body: bytes
    signature: str
    made_at: float
    next_at: float | None
    tries: int = 0

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "X-Razorpay-Signature": self.signature,
            "x-razorpay-event-id": self.event_id,
            "User-Agent": "Razorpay-Webhook/v1",
        }


@dataclass
class Outbox:
    """Every event so far. `is_silent`: what happens now is told nobody, as while the webhook is disabled."""

    account_id: str
    secret: str
    is_silent: bool = False
    webhooks: list[Webhook] = field(default_factory=list)

    def tell(self, event: str, now: float, /, **entities: dict[str, Any]) -> None:
        """A snapshot of the entities. Its `created_at` is that of the first, as theirs is."""
        body = json.dumps(
            {
                "entity": "event",
                "account_id": self.account_id,
                "event": event,
                "contains": list(entities),
                "payload": {name: {"entity": copy.deepcopy(entity)} for name, entity in entities.items()},
                "created_at": next(iter(entities.values()))["created_at"],
            },
            separators=(",", ":"),
        ).encode()
        next_at = None if self.is_silent else now
        self.webhooks.append(Webhook(new_id(""), event, body, signed(body, self.secret), now, next_at))


def signed(message: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
