"""WhatsApp's Cloud API: a message that we begin is an approved template.

https://developers.facebook.com/documentation/business-messaging/whatsapp/ has `messages/template-messages`, what comes
back in `webhooks/reference/messages/status`, and `support/error-codes`; how Meta signs stands in
https://developers.facebook.com/docs/graph-api/webhooks/getting-started. It repeats a webhook for days, in any order,
and what was read need not have been reported as delivered.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from uuid import UUID

from backend.channels import reading, words
from backend.channels.channel import ChannelReport, ChannelTrouble, StopRequest, TemplateMessage
from backend.channels.registered import Registered
from backend.core.errors import AccountTrouble, Code, OutsideFailure, Permanent, Refused, Transient, Unreadable
from backend.core.outgoing.asking import Answer, Line
from backend.core.outgoing.fields import Fields, Malformed
from backend.outbox.models import Delivery

log = logging.getLogger(__name__)

# By `code`, as Meta advises; HTTP's status says little (a limit is a 400)
_BUSY = {4, 80007, 130429, 131056}  # the application's, the account's, the number's, and the pair's limit
_NOBODY_KNOWS = {1, 2, 131000, 131016}  # "invalid request, or possible server error"; service unavailable
_PERSON = {
    100,  # a parameter is invalid: ours are typed, so it is the number
    130472,  # the number is part of an experiment of Meta's
    130497,  # nobody in that country
    131009,  # as 100
    131021,  # it is our own number
    131026,  # not on WhatsApp, or with a version that is too old
    131030,  # not among those that an account on trial may write to
    131047,  # wrote us too long ago, for what is no template
    131049,  # Meta chose not to
    131050,  # wants no marketing, for which Meta took it
}
_DELIVERIES = {"delivered": Delivery.DELIVERED, "read": Delivery.DELIVERED, "failed": Delivery.BOUNCED}
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{1,200}\Z")


@dataclass(frozen=True)
class Account:
    """A number of a WhatsApp business account. `verify_token` is what we made up, to be shown once."""

    phone_number_id: str
    token: str = field(repr=False)
    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)
    templates: Registered
    url: str = "https://graph.facebook.com"
    version: str = "v23.0"


class WhatsApp:
    """See `Channel` for what each method promises."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._line = Line("whatsapp", account.url, headers={"Authorization": f"Bearer {account.token}".encode()})
        self.languages = account.templates.languages

    def send(self, message: TemplateMessage, *, phone: str, key: UUID) -> str:
        """WhatsApp knows no key against repeating; ours comes back with each report."""
        account, filled = self._account, [{"type": "text", "text": value} for value in message.variables]
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": phone.removeprefix("+"),
            "type": "template",
            "template": {
                "name": account.templates.reference(message.template, message.language),
                "language": {"code": message.language},
                "components": [{"type": "body", "parameters": filled}],
            },
            "biz_opaque_callback_data": str(key),
        }
        try:
            answer = self._line.call().ask("POST", account.version, account.phone_number_id, "messages", body=body)
        except AccountTrouble as error:
            raise ChannelTrouble(str(error), surely_not_sent=error.surely_not_sent) from error
        if not answer.is_ok:
            raise _refusal(answer)
        try:
            return answer.fields.items("messages")[0].text("id", longest=reading.PROVIDERS_ID_LONGEST)
        except (Malformed, IndexError) as error:
            raise Unreadable("whatsapp: an answer without the message's id") from error

    def challenge(self, given: Mapping[str, str]) -> str:
        """What Meta wants to be told, once it has shown what we made up. Refuses: signature_invalid."""
        reading.require_same(given.get("hub.verify_token", ""), self._account.verify_token)
        said = given.get("hub.challenge", "")
        if given.get("hub.mode") != "subscribe" or not _CHALLENGE.match(said):
            raise Refused(Code.SIGNATURE_INVALID)
        return said

    def read(
        self,
        body: bytes,
        headers: Mapping[str, str],
        *,
        now: datetime,  # noqa: ARG002  # nothing is dated by its signature
    ) -> list[ChannelReport | StopRequest]:
        """Up to a thousand events a request; one that cannot be read hides no other."""
        wanted = hmac.new(self._account.app_secret.encode(), body, hashlib.sha256).hexdigest()
        reading.require_same(headers.get("X-Hub-Signature-256", ""), f"sha256={wanted}")
        with suppress(Malformed):
            values = list(_values(Fields.parse(body)))
            return [*chain.from_iterable(map(_reports, values)), *chain.from_iterable(map(_stops, values))]
        return []


def _values(said: Fields) -> Iterator[Fields]:
    for entry in said.items("entry"):
        for change in entry.items("changes"):
            yield change.part("value")


def _reports(value: Fields) -> Iterator[ChannelReport]:
    for status in value.items("statuses") if "statuses" in value.data else []:
        delivery = _DELIVERIES.get(str(status.data.get("status")))
        if delivery is not None:
            key, name = reading.key_of(status, "biz_opaque_callback_data"), reading.providers_id(status, "id")
            _note_trouble(status)
            yield ChannelReport(key, name, delivery)


def _note_trouble(status: Fields) -> None:
    """Some refusals come as a report: what is no fault of one message, staff read of."""
    with suppress(Malformed):
        for error in status.items("errors") if "errors" in status.data else []:
            code = error.whole("code")
            if isinstance(_by_code(code, "", may_be_busy=False), ChannelTrouble):
                log.error("whatsapp: messages are not delivered, code %d", code)


def _stops(value: Fields) -> Iterator[StopRequest]:
    for message in value.items("messages") if "messages" in value.data else []:
        with suppress(Malformed):
            number, kind = reading.phone(message.text("from")), str(message.data.get("type"))
            text = {"text": "body", "button": "text"}.get(kind)
            if number and text and words.asks_to_stop(str(message.part(kind).data.get(text, ""))):
                yield StopRequest(number)


def _refusal(answer: Answer) -> OutsideFailure:
    """By its number; its words may quote the person's."""
    with suppress(Malformed):
        code = answer.fields.part("error").whole("code")
        return _by_code(code, f"whatsapp: HTTP {answer.status}, code {code}")
    return ChannelTrouble(f"whatsapp: HTTP {answer.status}, no code", surely_not_sent=True)


def _by_code(code: int, told: str, *, may_be_busy: bool = True) -> OutsideFailure:
    if code in _NOBODY_KNOWS or (code in _BUSY and not may_be_busy):
        return Transient(told)
    if code in _BUSY:
        return Transient(told, surely_not_sent=True)
    if code in _PERSON:
        return Permanent(told, surely_not_sent=True)
    return ChannelTrouble(told, surely_not_sent=True)
