"""WhatsApp's Cloud API as Meta documents it: approved templates, and one webhook for whatever happens."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backend.channels.channel import Template
from tests.support.fake_channels.base import Answer, Asked, Hook, Taken

NUMBER, TOKEN = "106540352242922", "EAAJ-token-of-tests"  # of tests alone
APP_SECRET, VERIFY_TOKEN = "0123456789abcdef0123456789abcdef", "made-up-by-us-and-shown-once"
TEMPLATES = {
    f"{template}.{language}": f"appointment_{n}" for n, template in enumerate(Template) for language in ("en", "hi")
}
VERSION = "v23.0"


def error(code: int, *, status: int = 400) -> Answer:
    """As the Graph API says it."""
    told = {"message": f"(#{code}) Title of it", "type": "OAuthException", "code": code, "fbtrace_id": "Az8or2yhqkZfEZ"}
    return status, {"error": {**told, "error_data": {"messaging_product": "whatsapp", "details": "why"}}}


@dataclass
class WhatsApp:
    """A number of an account."""

    name: str = "whatsapp"
    url: str = ""

    def variables(self) -> dict[str, str]:
        return {
            "WHATSAPP_PHONE_NUMBER_ID": NUMBER,
            "WHATSAPP_TOKEN": TOKEN,
            "WHATSAPP_APP_SECRET": APP_SECRET,
            "WHATSAPP_VERIFY_TOKEN": VERIFY_TOKEN,
            "WHATSAPP_TEMPLATES": ",".join(f"{name}={theirs}" for name, theirs in TEMPLATES.items()),
            "WHATSAPP_URL": self.url,
            "WHATSAPP_VERSION": VERSION,
        }

    def answer(self, asked: Asked, take: Callable[[str, str, str, str, tuple[str, ...]], str]) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return error(190, status=401)
        if asked.path != f"/{VERSION}/{NUMBER}/messages":
            return error(33)
        said = asked.content()
        if (said["messaging_product"], said["type"]) != ("whatsapp", "template"):
            return error(100)
        template, language = said["template"]["name"], said["template"]["language"]["code"]
        names = {(theirs, name.partition(".")[2]): name.partition(".")[0] for name, theirs in TEMPLATES.items()}
        if (template, language) not in names:
            return error(132001, status=404)
        [part] = said["template"]["components"]
        filled = tuple(one["text"] for one in part["parameters"])
        if len(filled) != len(Template(names[template, language]).variables):
            return error(132000)
        number = take(said["biz_opaque_callback_data"], f"+{said['to']}", names[template, language], language, filled)
        contact = {"input": said["to"], "wa_id": said["to"]}
        sent = [{"id": number, "message_status": "accepted"}]
        return 200, {"messaging_product": "whatsapp", "contacts": [contact], "messages": sent}

    def report(self, taken: Taken, outcome: str, *, forged: bool = False, code: int = 131026) -> Hook:
        status: dict[str, Any] = {
            "id": taken.id,
            "status": outcome,
            "timestamp": "1750030073",
            "recipient_id": taken.phone.removeprefix("+"),
            "biz_opaque_callback_data": taken.key,
        }
        if outcome == "failed":
            status["errors"] = [{"code": code, "title": "Message undeliverable", "message": "Message undeliverable"}]
        return self._hook({"statuses": [status]}, forged=forged)

    def says(self, phone: str, text: str, *, forged: bool = False) -> Hook:
        digits = phone.removeprefix("+")
        contact = {"profile": {"name": "Somebody"}, "wa_id": digits}
        message = {"from": digits, "id": "wamid.in", "timestamp": "1749416383", "type": "text", "text": {"body": text}}
        return self._hook({"contacts": [contact], "messages": [message]}, forged=forged)

    def _hook(self, value: dict[str, Any], *, forged: bool) -> Hook:
        whose = {"display_phone_number": "15550783881", "phone_number_id": NUMBER}
        change = {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": whose, **value}}
        told = {"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [change]}]}
        return signed(json.dumps(told).encode(), "f" * 32 if forged else APP_SECRET)


def signed(body: bytes, secret: str) -> Hook:
    """As Meta signs."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return Hook({"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={digest}"}, body)
