"""SMS in India by MSG91: a template that the register (DLT) knows, and what is filled in.

Sent by its flow API, https://docs.msg91.com/sms/send-sms; `CRQID` comes back with each report,
https://msg91.com/help/text-sms/custom-metadata-parameters-for-tracking-sms-requests. Reports come from *Webhook (New)*,
https://msg91.com/help/webhook-new/how-to-receive-sms-delivery-reports-via-webhook-new, or its older version 3,
https://msg91.com/help/how-can-i-get-the-delivery-reports-on-my-webhook-url. MSG91 signs nothing.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from backend.channels import reading, words
from backend.channels.channel import ChannelReport, ChannelTrouble, StopRequest, TemplateMessage
from backend.channels.registered import Registered
from backend.core.errors import AccountTrouble, OutsideFailure, Permanent, Transient, Unreadable
from backend.core.outgoing.asking import Answer, Line
from backend.core.outgoing.fields import Fields, Malformed
from backend.outbox.models import Delivery

USER = "sms"  # https://sms:SECRET@our.host/api/hooks/messages/sms/
SECRET_HEADER = "X-Webhook-Secret"  # noqa: S105  # a header's name
_NO_SUCH_NUMBER = {"101", "202"}  # missing, or invalid mobile number; its words say the same where it gives no code
_ABOUT_THE_NUMBER = re.compile(r"\b(mobile|recipient|number)", re.IGNORECASE)
_TWICE = "311"  # "same request within ten seconds": so the first was taken
_DELIVERED = {"1", "delivered"}
_FAILED = {"2", "failed", "9", "ndnc", "16", "25", "rejected", "17", "blocked", "blocked number"}


@dataclass(frozen=True)
class Account:
    """`auth_key` sends; `webhook_secret` is what we gave MSG91 to show us. `url` is theirs, or a test's."""

    auth_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    templates: Registered
    url: str = "https://control.msg91.com"


class Msg91:
    """See `Channel` for what each method promises."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._line = Line("msg91", account.url, headers={"authkey": account.auth_key.encode()})
        self.languages = account.templates.languages

    def send(self, message: TemplateMessage, *, phone: str, key: UUID) -> str:
        """One request for one person; the texts are at MSG91, which fills in ##VAR1## and so on."""
        filled = {f"VAR{number}": value for number, value in enumerate(message.variables, start=1)}
        body = {
            "template_id": self._account.templates.reference(message.template, message.language),
            "short_url": "0",  # their shortened links would tell them who opens what
            "CRQID": str(key),
            "recipients": [{"mobiles": phone.removeprefix("+"), **filled}],
        }
        try:
            answer = self._line.call().ask("POST", "api", "v5", "flow", body=body)
        except AccountTrouble as error:
            raise ChannelTrouble(str(error), surely_not_sent=error.surely_not_sent) from error
        if not answer.is_ok or answer.fields.data.get("type") == "error":  # which comes with 200, too
            raise _refusal(answer)
        try:
            if answer.fields.data.get("type") != "success":
                raise Malformed("neither success nor error")
            return answer.fields.text("message", longest=reading.PROVIDERS_ID_LONGEST)
        except Malformed as error:
            raise Unreadable(f"msg91: {error}") from error

    def read(
        self,
        body: bytes,
        headers: Mapping[str, str],
        *,
        now: datetime,  # noqa: ARG002  # nothing is dated by a signature
    ) -> list[ChannelReport | StopRequest]:
        """One event a request, or a list of them."""
        self._require_genuine(headers)
        with suppress(Malformed):
            events = Fields.parse(b'{"all":' + body + b"}")
            found = events.items("all") if isinstance(events.data["all"], list) else [events.part("all")]
            return [read for read in map(_read_event, found) if read is not None]
        return []

    def _require_genuine(self, headers: Mapping[str, str]) -> None:
        """By what MSG91 was given: a header, or a password in the address, with which it logs in. Refuses:
        signature_invalid."""
        secret, login = self._account.webhook_secret, headers.get("Authorization", "")
        if login:
            wanted = base64.b64encode(f"{USER}:{secret}".encode()).decode()
            reading.require_same(login, f"Basic {wanted}")
        else:
            reading.require_same(headers.get(SECRET_HEADER, ""), secret)


def _refusal(answer: Answer) -> OutsideFailure:
    """By its number, or by its words, which may name the person, so that they are not repeated."""
    said = answer.fields.data
    code = str(said.get("code", "")) if isinstance(said.get("code"), str | int) else ""
    told = f"msg91: HTTP {answer.status}, code {code if code.isascii() and code.isdigit() else 'unknown'}"
    if code == _TWICE:
        return Transient(told)
    if code in _NO_SUCH_NUMBER or (not code and _ABOUT_THE_NUMBER.search(str(said.get("message", "")))):
        return Permanent(told, surely_not_sent=True)
    return ChannelTrouble(told, surely_not_sent=True)


def _read_event(event: Fields) -> ChannelReport | StopRequest | None:
    """One that cannot be read hides no other."""
    with suppress(Malformed):
        return _event(event)
    return None


def _event(event: Fields) -> ChannelReport | StopRequest | None:
    """None: of no use. What somebody wrote to our number comes as `from` and `text`, as docs/channels.md has it set."""
    if "text" in event.data:
        number = reading.phone(event.text("from"))
        asks = words.asks_to_stop(str(event.data["text"]))
        return StopRequest(number) if number and asks else None
    said = str(event.data.get("status", "")).casefold()
    delivery = Delivery.DELIVERED if said in _DELIVERED else Delivery.BOUNCED if said in _FAILED else None
    if delivery is None:
        return None
    return ChannelReport(reading.key_of(event, "CRQID"), reading.providers_id(event, "requestId"), delivery)
