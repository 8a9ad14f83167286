"""Who sends mail: the providers on offer, what each of them needs, and how each is asked to track nobody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backend.core.environment import Misconfigured

CONNECT_SECONDS = 10  # until a connection can be used, and for each mail's commands until its text
ANSWER_SECONDS = 60  # for the answer to a mail's text: who stops listening may send it twice

_UNTRACKED = {"track_clicks": False, "track_opens": False}  # a tracked link leads through the provider, who keeps it


@dataclass(frozen=True)
class Webhook:
    """How we know that a report of deliveries is the provider's, and what EMAIL_WEBHOOK_SECRET must look like."""

    form: str
    expected: str
    setting: str = ""  # Anymail's; it judges all of them but one, which wants a library of its own
    is_login: bool = False  # the provider signs nothing: it logs in by what stands in the address that we give it


@dataclass(frozen=True)
class Provider:
    """A mail service asked over HTTP through Anymail, whose settings of it begin with its name."""

    takes: Mapping[str, str]  # Anymail's setting → our variable, which must be given
    webhook: Webhook
    defaults: Mapping[str, object] = field(default_factory=lambda: _UNTRACKED)  # of each mail
    takes_our_id: bool = True  # to say it again in what it reports


WEBHOOK_USER = "mail"  # https://mail:SECRET@our.host/api/hooks/mail/…
_LOGIN = Webhook(
    r"[A-Za-z0-9_-]{24,200}", "24 characters or more of A-Z, a-z, 0-9, _ and -", "WEBHOOK_SECRET", is_login=True
)
_SIGNING_KEY = r"[!-~]{16,200}"
_KEY = {"API_KEY": "EMAIL_API_KEY"}
PROVIDERS: dict[str, Provider] = {
    "amazon_ses": Provider(
        {
            "aws_access_key_id": "EMAIL_API_KEY",
            "aws_secret_access_key": "EMAIL_API_SECRET",
            "region_name": "EMAIL_API_REGION",
        },
        _LOGIN,
        {
            "esp_extra": {
                "ConfigurationOverrides": {
                    "Tracking": {"OpenTrackingEnabled": "DISABLED", "ClickTrackingEnabled": "DISABLED"}
                }
            }
        },
    ),
    # the header of its SMTP relay, which its API takes among a mail's headers and documents nowhere
    "brevo": Provider(_KEY, _LOGIN, {"extra_headers": {"X-Mailin-Track": "0"}}),
    "mailersend": Provider(
        {"API_TOKEN": "EMAIL_API_KEY"},
        Webhook(_SIGNING_KEY, "the signing secret of the webhook", "MAILERSEND_SIGNING_SECRET"),
        {**_UNTRACKED, "esp_extra": {"settings": {"track_content": False}}},
        takes_our_id=False,
    ),
    "mailgun": Provider(
        _KEY,
        Webhook(_SIGNING_KEY, "the HTTP webhook signing key of the account", "MAILGUN_WEBHOOK_SIGNING_KEY"),
        {**_UNTRACKED, "esp_extra": {"o:tracking": "no"}},
    ),
    "mailjet": Provider({**_KEY, "SECRET_KEY": "EMAIL_API_SECRET"}, _LOGIN),
    "postmark": Provider({"SERVER_TOKEN": "EMAIL_API_KEY"}, _LOGIN),
    "resend": Provider(
        _KEY,
        Webhook(r"whsec_[A-Za-z0-9+/]{16,200}={0,2}", "the webhook's signing secret, which begins with whsec_"),
        {},
    ),  # tracks by the sender's domain, off unless somebody switched it on
    "sendgrid": Provider(
        _KEY,
        Webhook(
            r"[A-Za-z0-9+/]{100,200}={0,2}",
            "the verification key of the signed event webhook, in one line",
            "SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY",
        ),
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


def refuse_unfit_webhook_secret(provider: str, secret: str) -> None:
    """Raise Misconfigured for one that `provider` cannot have given out, or that can be guessed. It is never quoted."""
    if not secret:
        return
    if provider not in PROVIDERS:
        raise Misconfigured(f"EMAIL_WEBHOOK_SECRET: EMAIL_PROVIDER={provider} reports no deliveries.")
    webhook = PROVIDERS[provider].webhook
    if not re.fullmatch(webhook.form, secret):
        raise Misconfigured(f"EMAIL_WEBHOOK_SECRET: expected of EMAIL_PROVIDER={provider} {webhook.expected}.")


def refuse_clear_password(security: str, given: Mapping[str, str], *, prefix: str = "EMAIL_") -> None:
    """Raise Misconfigured when a log-in to the SMTP server is half given, or would be read on its way."""
    user, password = f"{prefix}HOST_USER", f"{prefix}HOST_PASSWORD"
    missing = [name for name in (user, password) if not given[name]]
    if len(missing) == 1:
        raise Misconfigured(f"{missing[0]} is not set: {user} and {password} go together.")
    if security == "none" and not missing:
        raise Misconfigured(f"{prefix}SECURITY=none would send {password} in clear.")


def fallback(host: str, port: int, security: str, login: Mapping[str, str]) -> dict[str, object]:
    """What the connection to the second provider is opened with; nothing where there is none."""
    if not host:
        return {}
    return {
        "host": host,
        "port": port,
        "username": login["EMAIL_FALLBACK_HOST_USER"],
        "password": login["EMAIL_FALLBACK_HOST_PASSWORD"],
        "use_ssl": security == "tls",
        "use_tls": security == "starttls",
    }


def anymail(provider: str, given: Mapping[str, str]) -> dict[str, Any]:
    """Anymail's settings of `provider`; none for one that is not asked over HTTP."""
    if provider not in PROVIDERS:
        return {}
    offered, url = PROVIDERS[provider], given["EMAIL_API_URL"]
    taken = {name: given[variable] for name, variable in offered.takes.items()}
    prefix = provider.upper()
    found: dict[str, Any] = {"REQUESTS_TIMEOUT": (CONNECT_SECONDS, ANSWER_SECONDS), "SEND_DEFAULTS": offered.defaults}
    found |= {"IGNORE_UNSUPPORTED_FEATURES": not offered.takes_our_id} | _webhook(offered.webhook, given)
    if provider == "amazon_ses":
        return found | {f"{prefix}_CLIENT_PARAMS": {**taken, "config": _AWS, **({"endpoint_url": url} if url else {})}}
    if url:
        taken["API_URL"] = url
    return found | {f"{prefix}_{name}": value for name, value in taken.items()}


def _webhook(webhook: Webhook, given: Mapping[str, str]) -> dict[str, Any]:
    secret = given.get("EMAIL_WEBHOOK_SECRET", "")
    if not (secret and webhook.setting):
        return {}
    return {webhook.setting: f"{WEBHOOK_USER}:{secret}" if webhook.is_login else secret}


# tries once: what AWS may have taken is repeated by the outbox, which counts
_AWS = {
    "connect_timeout": CONNECT_SECONDS,
    "read_timeout": ANSWER_SECONDS,
    "retries": {"total_max_attempts": 1},
}
