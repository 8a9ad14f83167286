"""Any body as a provider would send it, and how each says that somebody cannot be reached."""

from __future__ import annotations

from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

from tests.support.fake_channels import custom, msg91, whatsapp
from tests.support.fake_channels.base import Answer, Hook, Provider

UNREACHABLE: dict[str, Answer] = {
    "whatsapp": whatsapp.error(131026),
    "sms": (200, {"message": "Invalid mobile number 919876543210", "type": "error"}),
    "custom": (422, {"message": "not a number of a telephone"}),
}


def genuine(provider: Provider, body: bytes) -> Hook:
    """Signed as it signs, or with the secret that it shows."""
    if provider.name == "whatsapp":
        return whatsapp.signed(body, whatsapp.APP_SECRET)
    if provider.name == "sms":
        return Hook({"X-Webhook-Secret": msg91.SECRET}, body)
    now = datetime.now(UTC)
    signature = Webhook(custom.SECRET).sign("msg_1", now, body.decode())
    stamp = str(int(now.timestamp()))
    return Hook({"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": signature}, body)
