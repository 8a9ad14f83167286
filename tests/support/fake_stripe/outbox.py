"""The webhooks that Stripe owes, signed anew at each delivery."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from backend.payments.stamped import sign
from tests.support.fake_stripe.entities import new_id
from tests.support.fake_stripe.shelf import Thing

API_VERSION = "2026-10-28.endive"


@dataclass
class Webhook:
    """One event, and how its delivery goes. `next_at` is Unix seconds; None: delivered, given up, or kept silent."""

    event_id: str
    body: bytes
    secret: Callable[[], str]
    made_at: float
    next_at: float | None
    tries: int = 0

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": sign(self.body, self.secret(), time.time()),
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        }


@dataclass
class Outbox:
    """Every event so far. `is_silent`: what happens now is told nobody, as while the webhook is disabled."""

    secret: str
    is_silent: bool = False
    webhooks: list[Webhook] = field(default_factory=list)

    def tell(self, kind: str, thing: Thing, now: float) -> None:
        """`thing` is a snapshot of its moment. A later delivery is signed with the secret of its own moment."""
        event = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": int(now),
            "data": {"object": thing},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        next_at = None if self.is_silent else now
        body = json.dumps(event, indent=2).encode()
        self.webhooks.append(Webhook(event["id"], body, lambda: self.secret, now, next_at))
