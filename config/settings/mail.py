"""Who sends mail, from whom, and to which staff; `config/mail.py` says what each provider needs."""

from __future__ import annotations

import re

from backend.core import environment as env
from backend.core.environment import Misconfigured
from config import mail as providers
from config.settings.deployment import VAR_DIR

EMAIL_PROVIDER = env.choice(
    "EMAIL_PROVIDER",
    "who sends mail; empty means SMTP when EMAIL_HOST is set, else files in `var/mail`",
    providers.CHOICES,
    default="",
)
EMAIL_HOST = env.host("EMAIL_HOST", "SMTP server", example="smtp.example.org")
EMAIL_PORT = env.integer("EMAIL_PORT", "its port", default=587, minimum=1)
EMAIL_SECURITY = env.choice(
    "EMAIL_SECURITY",
    "how the connection to it is encrypted; without encryption nobody logs in",
    ("none", "starttls", "tls"),
    default="tls" if EMAIL_PORT == 465 else "starttls",
    shown_default="tls on port 465, else starttls",
)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "SMTP user", example="bookings@example.org")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "SMTP password", example="secret")
EMAIL_USE_SSL = EMAIL_SECURITY == "tls"
EMAIL_USE_TLS = EMAIL_SECURITY == "starttls"
EMAIL_TIMEOUT = providers.CONNECT_SECONDS
EMAIL_ANSWER_TIMEOUT = providers.ANSWER_SECONDS
EMAIL_FILE_PATH = str(VAR_DIR / "mail")
DEFAULT_FROM_EMAIL = env.sender(
    "FROM_EMAIL",
    "sender of every mail",
    default="MindSettler <bookings@localhost>",
    example="MindSettler <bookings@example.org>",
)
STAFF_INBOX = env.mailbox(
    "STAFF_INBOX",
    "the one address where staff read of new requests",
    default="staff@localhost",
    example="desk@example.org",
)
MANAGER_INBOX = env.mailbox(
    "MANAGER_INBOX",
    "the one address where managers read of overdue requests",
    default=STAFF_INBOX,
    shown_default="STAFF_INBOX",
    example="manager@example.org",
)
_of_mail = {
    "EMAIL_HOST": EMAIL_HOST,
    "EMAIL_HOST_USER": EMAIL_HOST_USER,
    "EMAIL_HOST_PASSWORD": EMAIL_HOST_PASSWORD,
    "EMAIL_API_KEY": env.text("EMAIL_API_KEY", "key of an EMAIL_PROVIDER that is asked over HTTP", example="secret"),
    "EMAIL_API_SECRET": env.text("EMAIL_API_SECRET", "its second key: mailjet, amazon_ses", example="secret"),
    "EMAIL_API_REGION": env.text("EMAIL_API_REGION", "its region: amazon_ses", example="ap-south-1"),
    "EMAIL_API_URL": env.url(
        "EMAIL_API_URL", "where its API is, if elsewhere", example="https://api.eu.mailgun.net/v3"
    ),
    "EMAIL_WEBHOOK_SECRET": env.text(
        "EMAIL_WEBHOOK_SECRET",
        "by which reports of EMAIL_PROVIDER at `/api/hooks/mail/<provider>/` are known: the key of their signature, or the"
        " password in the address given to amazon_ses, brevo, mailjet, postmark, `https://mail:SECRET@…`; empty: none are"
        " taken",
        example="`openssl rand -hex 24`",
    ),
}
MAIL_PER_SECOND = env.integer(
    "MAIL_PER_SECOND",
    "mails a second that EMAIL_PROVIDER takes, all workers together; 0 sets no limit",
    default=0,
    minimum=0,
)
_fallback_host = env.host(
    "EMAIL_FALLBACK_HOST",
    "SMTP server of a second provider, by which mail leaves while the first takes nothing for five minutes; it reports no delivery; empty: none",
    example="smtp.example.net",
)
_fallback_port = env.integer("EMAIL_FALLBACK_PORT", "its port", default=587, minimum=1)
_fallback_security = env.choice(
    "EMAIL_FALLBACK_SECURITY",
    "how the connection to it is encrypted; without encryption nobody logs in",
    ("none", "starttls", "tls"),
    default="tls" if _fallback_port == 465 else "starttls",
    shown_default="tls on port 465, else starttls",
)
_fallback_login = {
    "EMAIL_FALLBACK_HOST_USER": env.text("EMAIL_FALLBACK_HOST_USER", "its user", example="bookings@example.org"),
    "EMAIL_FALLBACK_HOST_PASSWORD": env.text("EMAIL_FALLBACK_HOST_PASSWORD", "its password", example="secret"),
}
EMAIL_FALLBACK_PER_SECOND = env.integer(
    "EMAIL_FALLBACK_PER_SECOND", "as MAIL_PER_SECOND, of the second provider", default=0, minimum=0
)
providers.refuse_clear_password(_fallback_security, _fallback_login, prefix="EMAIL_FALLBACK_")
EMAIL_FALLBACK = providers.fallback(_fallback_host, _fallback_port, _fallback_security, _fallback_login)
EMAIL_WEBHOOK_SECRET = _of_mail["EMAIL_WEBHOOK_SECRET"]
DKIM_SELECTOR = env.text(
    "DKIM_SELECTOR",
    "under which the key of FROM_EMAIL's domain stands in DNS, `SELECTOR._domainkey.DOMAIN`; `ops_doctor` then looks for it",
    example="s1",
)
if DKIM_SELECTOR and not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", DKIM_SELECTOR):
    raise Misconfigured("DKIM_SELECTOR is no name in DNS; one looks like s1.")
_sends = EMAIL_PROVIDER or ("smtp" if EMAIL_HOST else "file")
providers.refuse_incomplete(_sends, _of_mail)
providers.refuse_clear_password(EMAIL_SECURITY, _of_mail)
providers.refuse_unfit_webhook_secret(_sends, EMAIL_WEBHOOK_SECRET)
EMAIL_BACKEND = providers.backend(_sends)
ANYMAIL = providers.anymail(_sends, _of_mail)
