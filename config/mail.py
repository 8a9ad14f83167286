"""Who sends mail: the providers on offer, what each of them needs, and how each is asked to track nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.core.environment import Misconfigured

CONNECT_SECONDS = 10  # until a connection can be used, and for each mail's commands until its text
ANSWER_SECONDS = 60  # for the answer to a mail's text: who stops listening may send it twice

_UNTRACKED = {"track_clicks": False, "track_opens": False}  # a tracked link leads through the provider, who keeps it


@dataclass(frozen=True)
class Provider:
    """A mail service asked over HTTP through Anymail, whose settings of it begin with its name."""

    takes: Mapping[str, str]  # Anymail's setting → our variable, which must be given
    defaults: Mapping[str, object] = field(default_factory=lambda: _UNTRACKED)  # of each mail


_KEY = {"API_KEY": "EMAIL_API_KEY"}
PROVIDERS: dict[str, Provider] = {
    "amazon_ses": Provider(
        {
            "aws_access_key_id": "EMAIL_API_KEY",
            "aws_secret_access_key": "EMAIL_API_SECRET",
            "region_name": "EMAIL_API_REGION",
        },
        {
            "esp_extra": {
                "ConfigurationOverrides": {
                    "Tracking": {"OpenTrackingEnabled": "DISABLED", "ClickTrackingEnabled": "DISABLED"}
                }
            }
        },
    ),
    # the header of its SMTP relay, which its API takes among a mail's headers and documents nowhere
    "brevo": Provider(_KEY, {"extra_headers": {"X-Mailin-Track": "0"}}),
    "mailersend": Provider(
        {"API_TOKEN": "EMAIL_API_KEY"}, {**_UNTRACKED, "esp_extra": {"settings": {"track_content": False}}}
    ),
    "mailgun": Provider(_KEY, {**_UNTRACKED, "esp_extra": {"o:tracking": "no"}}),
    "mailjet": Provider({**_KEY, "SECRET_KEY": "EMAIL_API_SECRET"}),
    "postmark": Provider({"SERVER_TOKEN": "EMAIL_API_KEY"}),
    "resend": Provider(_KEY, {}),  # tracks by the sender's domain, off unless somebody switched it on
    "sendgrid": Provider(
        _KEY,
        {
            **_UNTRACKED,
            "esp_extra": {
                "tracking_settings": {"subscription_tracking": {"enable": False}, "ganalytics": {"enable": False}}
            },
        },
    ),
}
_BACKENDS = {
    "smtp": "workers.smtp.EmailBackend",
    "file": "django.core.mail.backends.filebased.EmailBackend",
    "console": "django.core.mail.backends.console.EmailBackend",
}
CHOICES = ("", *_BACKENDS, *PROVIDERS)


def backend(provider: str) -> str:
    """The class that sends through `provider`, as Django names it."""
    return _BACKENDS.get(provider, f"anymail.backends.{provider}.EmailBackend")


def refuse_incomplete(provider: str, given: Mapping[str, str]) -> None:
    """Raise Misconfigured, with the names of what `provider` needs and has not been given."""
    needed = ["EMAIL_HOST"] if provider == "smtp" else []
    needed += PROVIDERS[provider].takes.values() if provider in PROVIDERS else []
    missing = [name for name in needed if not given[name]]
    if missing:
        raise Misconfigured(f"EMAIL_PROVIDER={provider} needs {' and '.join(missing)}.")


def refuse_clear_password(security: str, given: Mapping[str, str]) -> None:
    """Raise Misconfigured when a log-in to the SMTP server is half given, or would be read on its way."""
    login = {name: given[name] for name in ("EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD")}
    missing = [name for name, value in login.items() if not value]
    if len(missing) == 1:
        raise Misconfigured(f"{missing[0]} is not set: EMAIL_HOST_USER and EMAIL_HOST_PASSWORD go together.")
    if security == "none" and not missing:
        raise Misconfigured("EMAIL_SECURITY=none would send EMAIL_HOST_PASSWORD in clear.")


def anymail(provider: str, given: Mapping[str, str]) -> dict[str, Any]:
    """Anymail's settings of `provider`; none for one that is not asked over HTTP."""
    if provider not in PROVIDERS:
        return {}
    offered, url = PROVIDERS[provider], given["EMAIL_API_URL"]
    taken = {name: given[variable] for name, variable in offered.takes.items()}
    prefix = provider.upper()
    found: dict[str, Any] = {"REQUESTS_TIMEOUT": (CONNECT_SECONDS, ANSWER_SECONDS), "SEND_DEFAULTS": offered.defaults}
    if provider == "amazon_ses":
        return found | {f"{prefix}_CLIENT_PARAMS": {**taken, "config": _AWS, **({"endpoint_url": url} if url else {})}}
    if url:
        taken["API_URL"] = url
    return found | {f"{prefix}_{name}": value for name, value in taken.items()}


# tries once: what AWS may have taken is repeated by the outbox, which counts
_AWS = {
    "connect_timeout": CONNECT_SECONDS,
    "read_timeout": ANSWER_SECONDS,
    "retries": {"total_max_attempts": 1},
}
