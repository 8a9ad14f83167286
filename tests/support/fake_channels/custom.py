"""A server of the practice's own choice; the reference library of Standard Webhooks judges and signs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tests.support.fake_channels.base import Answer, Asked, Hook, Taken

SECRET = "whsec_b2YtdGVzdHMtYWxvbmUtYW5kLW9mLTMyLWJ5dGVzISE="  # of tests alone
OTHERS = "whsec_c29tZWJvZHktZWxzZXMtc2VjcmV0LW9mLTMyLWJ5dGU="


@dataclass
class Custom:
    """It has the texts."""

    name: str = "custom"
    url: str = ""

    def variables(self) -> dict[str, str]:
        return {"CUSTOM_CHANNEL_URL": f"{self.url}/send", "CUSTOM_CHANNEL_SECRET": SECRET}

    def answer(self, asked: Asked, take: Callable[[str, str, str, str, tuple[str, ...]], str]) -> Answer:
        try:
            said = Webhook(SECRET).verify(asked.body, dict(asked.headers))
        except WebhookVerificationError:
            return 401, {"message": "not signed"}
        data = said["data"]
        if asked.path != "/send" or said["type"] != "message.send" or asked.headers["webhook-id"] != data["key"]:
            return 400, {"message": "not understood"}
        filled = tuple(data["variables"].values())
        return 200, {"id": take(data["key"], data["phone"], data["template"], data["language"], filled)}

    def report(self, taken: Taken, outcome: str, *, forged: bool = False) -> Hook:
        return self._hook(f"message.{outcome}", {"key": taken.key, "id": taken.id}, forged=forged)

    def says(self, phone: str, text: str, *, forged: bool = False) -> Hook:
        return self._hook("message.received", {"phone": phone, "text": text}, forged=forged)

    def _hook(self, kind: str, data: dict[str, Any], *, forged: bool) -> Hook:
        body, number, now = json.dumps({"type": kind, "data": data}), f"msg_{uuid4().hex}", datetime.now(UTC)
        signature = Webhook(OTHERS if forged else SECRET).sign(number, now, body)
        headers = {"webhook-id": number, "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}
        return Hook({"Content-Type": "application/json", **headers}, body.encode())
