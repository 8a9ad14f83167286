"""MSG91's flow API, and its webhook of reports and of what people write to our number."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backend.channels.channel import VARIABLE_LONGEST, Template
from tests.support.fake_channels.base import Answer, Asked, Hook, Taken

KEY, SECRET = "416091Atests65cb570bP1", "of-tests-which-msg91-was-given"  # of tests alone
TEMPLATES = {
    f"{template}.{language}": f"65e06f{n}{language}" for n, template in enumerate(Template) for language in ("en", "hi")
}
_OUTCOMES = {"delivered": "Delivered", "failed": "Failed"}


@dataclass
class Msg91:
    """`logs_in`: it was given an address with the secret, and not a header."""

    name: str = "sms"
    url: str = ""
    logs_in: bool = False

    def variables(self) -> dict[str, str]:
        templates = ",".join(f"{name}={number}" for name, number in TEMPLATES.items())
        return {
            "MSG91_AUTH_KEY": KEY,
            "MSG91_WEBHOOK_SECRET": SECRET,
            "MSG91_TEMPLATES": templates,
            "MSG91_URL": self.url,
        }

    def answer(self, asked: Asked, take: Callable[[str, str, str, str, tuple[str, ...]], str]) -> Answer:
        if asked.headers.get("authkey") != KEY:
            return 401, {"status": "fail", "hasError": True, "errors": "Unauthorized", "code": "201"}
        if asked.path != "/api/v5/flow" or asked.headers.get("content-type") != "application/json":
            return 404, {"message": "Not found", "type": "error"}
        said = asked.content()
        names = {number: name for name, number in TEMPLATES.items()}
        if said.get("template_id") not in names:
            return 400, {"message": "Template id is missing or invalid", "type": "error", "code": "211"}
        [recipient] = said["recipients"]
        if not recipient["mobiles"].isdigit():
            return 200, {"message": "Invalid mobile number", "type": "error"}
        filled = tuple(value for name, value in sorted(recipient.items()) if name.startswith("VAR"))
        template, _, language = names[said["template_id"]].partition(".")
        if len(filled) != len(Template(template).variables) or any(len(one) > VARIABLE_LONGEST for one in filled):
            return 400, {"message": "Variables do not fit the template", "type": "error", "code": "400"}
        number = take(said["CRQID"], f"+{recipient['mobiles']}", template, language, filled)
        return 200, {"message": number, "type": "success"}

    def report(self, taken: Taken, outcome: str, *, forged: bool = False) -> Hook:
        told = {
            "requestId": taken.id,
            "telNum": taken.phone.removeprefix("+"),
            "status": _OUTCOMES.get(outcome, outcome),
            "CRQID": taken.key,
            "failureReason": "",
        }
        return self._hook(told, forged=forged)

    def says(self, phone: str, text: str, *, forged: bool = False) -> Hook:
        return self._hook({"from": phone.removeprefix("+"), "text": text}, forged=forged)

    def _hook(self, told: dict[str, Any], *, forged: bool) -> Hook:
        secret = "somebody-elses-secret-of-msg91" if forged else SECRET
        login = "Basic " + base64.b64encode(f"sms:{secret}".encode()).decode()
        shown = {"Authorization": login} if self.logs_in else {"X-Webhook-Secret": secret}
        return Hook({"Content-Type": "application/json", **shown}, json.dumps(told).encode())
