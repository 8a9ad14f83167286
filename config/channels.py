"""What each channel to a telephone needs, and what that looks like."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.channels.names import ChannelName
from backend.channels.registered import ALWAYS, Registered
from backend.core.environment import Misconfigured

_SECRET = r"[!-~]{12,500}"  # noqa: S105  # a form, no secret
_SHOWN = r"[A-Za-z0-9_-]{24,200}"
_SHOWN_IS = "24 characters or more of A-Z, a-z, 0-9, _ and -"


@dataclass(frozen=True)
class Form:
    """What a variable's value must look like. Secrets are never quoted."""

    pattern: str
    expected: str


FORMS: dict[ChannelName, dict[str, Form]] = {
    ChannelName.WHATSAPP: {
        "WHATSAPP_PHONE_NUMBER_ID": Form(r"\d{5,30}", "the id of the number, digits alone"),
        "WHATSAPP_TOKEN": Form(_SECRET, "the access token of a system user"),
        "WHATSAPP_APP_SECRET": Form(r"[0-9a-f]{32}", "the app's secret, 32 hexadecimal digits"),
        "WHATSAPP_VERIFY_TOKEN": Form(_SHOWN, _SHOWN_IS),
    },
    ChannelName.SMS: {
        "MSG91_AUTH_KEY": Form(_SECRET, "the authkey of the account"),
        "MSG91_WEBHOOK_SECRET": Form(_SHOWN, _SHOWN_IS),
    },
    ChannelName.CUSTOM: {
        "CUSTOM_CHANNEL_URL": Form(r"\S+", "an address"),
        "CUSTOM_CHANNEL_SECRET": Form(
            r"whsec_[A-Za-z0-9+/]{32,100}={0,2}", "a secret that begins with whsec_, of 24 bytes or more in base64"
        ),
    },
}
TEMPLATES = {ChannelName.WHATSAPP: "WHATSAPP_TEMPLATES", ChannelName.SMS: "MSG91_TEMPLATES"}
_ADDRESSES = ("WHATSAPP_URL", "MSG91_URL", "CUSTOM_CHANNEL_URL")


def refuse_unfit(given: Mapping[str, str], templates: Mapping[str, Sequence[str]], *, is_real: bool) -> None:
    """Raise Misconfigured, naming the variable and never quoting it: half a channel, or a value of another form.

    `is_real`: people are reached, so that nothing travels in clear.
    """
    for channel, forms in FORMS.items():
        registered = templates.get(TEMPLATES.get(channel, ""), ())
        if not (registered or any(given[name] for name in forms)):
            continue
        missing = [name for name in forms if not given[name]]
        if missing:
            raise Misconfigured(f"{' and '.join(missing)} must be set for the channel {channel}.")
        for name, form in forms.items():
            if not re.fullmatch(form.pattern, given[name]):
                raise Misconfigured(f"{name}: expected {form.expected}.")
        if channel in TEMPLATES:
            _refuse_incomplete(TEMPLATES[channel], registered)
    for name in _ADDRESSES:
        if is_real and given[name] and not given[name].startswith("https://"):
            raise Misconfigured(f"{name} must begin with https:// with DEBUG off.")


def _refuse_incomplete(name: str, registered: Sequence[str]) -> None:
    """English always, another language wholly or not at all."""
    templates = Registered.parse(registered)
    named = {language for _, language in templates.references}
    missing = [one for language in sorted({ALWAYS, *named}) for one in templates.missing(language)]
    if missing:
        raise Misconfigured(f"{name}: {' and '.join(missing)} must be there, too.")
