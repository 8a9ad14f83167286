"""A server of the practice's own choice: it is told what to send, and tells us what became of it, signed both ways.

As Standard Webhooks has it, https://github.com/standard-webhooks/standard-webhooks; docs/channels.md says what each
message looks like. Its address stands in the settings of the deployment, so that it may be in a private network.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from backend.channels import reading, words
from backend.channels.channel import ChannelReport, ChannelTrouble, StopRequest, TemplateMessage
from backend.core import webhook_signature
from backend.core.errors import AccountTrouble, Code, Permanent, Refused
from backend.core.outgoing.asking import Line
from backend.core.outgoing.fields import Fields, Malformed
from backend.outbox.models import Delivery

_DELIVERIES = {"message.delivered": Delivery.DELIVERED, "message.failed": Delivery.BOUNCED}


@dataclass(frozen=True)
class Account:
    """One secret for both ways: what we send is of another type than what we read."""

    url: str
    secret: str = field(repr=False)


class CustomChannel:
    """See `Channel` for what each method promises."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._line = Line("custom", account.url)
        self.languages = frozenset(code for code, _ in settings.LANGUAGES)  # it has the texts

    def send(self, message: TemplateMessage, *, phone: str, key: UUID) -> str:
        """204, or an object with the `id` under which it knows the message; 422 where it cannot reach this number."""
        content, now = _content(message, phone=phone, key=key), timezone.now()
        headers = webhook_signature.signed_headers(
            content, self._account.secret, event_id=str(key), at=now.timestamp()
        ) | {"Content-Type": "application/json"}
        sent = {name: value.encode() for name, value in headers.items()}
        try:
            answer = self._line.call().ask("POST", content=content, headers=sent)
        except AccountTrouble as error:
            raise ChannelTrouble(str(error), surely_not_sent=error.surely_not_sent) from error
        if answer.status == HTTPStatus.UNPROCESSABLE_ENTITY:
            raise Permanent("custom: HTTP 422", surely_not_sent=True)
        if not answer.is_ok:
            raise ChannelTrouble(f"custom: HTTP {answer.status}", surely_not_sent=True)
        return reading.providers_id(answer.fields, "id")

    def read(self, body: bytes, headers: Mapping[str, str], *, now: datetime) -> list[ChannelReport | StopRequest]:
        """One event a request."""
        if not webhook_signature.is_signed(body, headers, self._account.secret, at=now.timestamp()):
            raise Refused(Code.SIGNATURE_INVALID)
        with suppress(Malformed):
            said = Fields.parse(body)
            read = _event(said.text("type"), said.part("data"))
            return [read] if read else []
        return []


def _content(message: TemplateMessage, *, phone: str, key: UUID) -> bytes:
    """The same bytes at each attempt."""
    said = {
        "type": "message.send",
        "data": {
            "key": str(key),
            "phone": phone,
            "template": message.template.value,
            "language": message.language,
            "variables": dict(zip(message.template.variables, message.variables, strict=True)),
        },
    }
    return json.dumps(said, separators=(",", ":")).encode()


def _event(kind: str, data: Fields) -> ChannelReport | StopRequest | None:
    """None: of no use."""
    if kind == "message.received":
        number = reading.phone(data.text("phone"))
        return StopRequest(number) if number and words.asks_to_stop(str(data.data.get("text", ""))) else None
    delivery = _DELIVERIES.get(kind)
    if delivery is None:
        return None
    return ChannelReport(reading.key_of(data, "key"), reading.providers_id(data, "id"), delivery)
