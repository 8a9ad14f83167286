"""What mail providers post to us of a mail, in the shapes that they document, signed as each of them signs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.http import HttpResponse
from django.test import Client

from backend.core import webhook_signature
from config import mail
from tests.support.mail_api import GIVEN, TO

OTHERS = {"amazon_ses", "brevo", "mailjet", "postmark"}  # who sign nothing
SECRETS = {
    **dict.fromkeys(OTHERS, "a-password-in-the-address"),
    "mailersend": "signing-secret-of-mailersend",
    "mailgun": "key-0123456789abcdef0123456789abcdef",
    "resend": "whsec_" + base64.b64encode(b"a secret of twenty-four.").decode(),
}
WORDS: dict[str, dict[str, Any]] = {
    "amazon_ses": {"delivered": "Delivery", "deferred": "DeliveryDelay", "bounced": "Bounce", "soft": "Bounce",
                   "complained": "Complaint"},
    "brevo": {"delivered": "delivered", "deferred": "deferred", "bounced": "hard_bounce", "soft": "soft_bounce",
              "complained": "spam"},
    "mailersend": {"delivered": "delivered", "deferred": "deferred", "bounced": "hard_bounced", "soft": "soft_bounced",
                   "complained": "spam_complaint"},
    "mailgun": {"delivered": "delivered", "deferred": "failed", "bounced": "failed", "soft": "failed",
                "complained": "complained"},
    "mailjet": {"delivered": "sent", "deferred": "bounce", "bounced": "bounce", "soft": "bounce",
                "complained": "spam"},
    "postmark": {"delivered": "Delivery", "deferred": "Bounce", "bounced": "Bounce", "soft": "Bounce",
                 "complained": "SpamComplaint"},
    "resend": {"delivered": "delivered", "deferred": "delivery_delayed", "bounced": "bounced", "soft": "bounced",
               "complained": "complained"},
    "sendgrid": {"delivered": "delivered", "deferred": "deferred", "bounced": "bounce", "soft": "bounce",
                 "complained": "spamreport"},
}  # fmt: skip


@cache
def _sendgrids_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def secret_of(provider: str) -> str:
    """What EMAIL_WEBHOOK_SECRET is where that one sends our mails."""
    if provider != "sendgrid":
        return SECRETS[provider]
    der = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(_sendgrids_key().public_key().public_bytes(*der)).decode()


def use(settings: Any, provider: str) -> None:
    """Let this process send through `provider`, and believe its reports."""
    settings.EMAIL_PROVIDER = provider
    settings.EMAIL_WEBHOOK_SECRET = secret_of(provider)
    given = {**GIVEN, "EMAIL_API_URL": "", "EMAIL_WEBHOOK_SECRET": secret_of(provider)}
    settings.ANYMAIL = mail.anymail(provider, given)


def body(provider: str, what: str, *, mail_id: str, ours: str = "") -> bytes:
    """The event `what` (a key of WORDS) about the mail that the provider calls `mail_id`."""
    said = globals()[f"_{provider}"](WORDS[provider][what], what, mail_id, {"message": ours} if ours else {})
    return json.dumps(said).encode()


def post(
    provider: str,
    content: bytes,
    *,
    secret: str | None = None,
    at: float | None = None,
    also: dict[str, str] | None = None,
) -> HttpResponse:
    """To our webhook, signed with `secret`, else with the right one."""
    headers, content_type = signed(provider, content, secret=secret, at=at)
    url = f"/api/hooks/mail/{provider}/"
    return Client().post(url, content, content_type=content_type, headers={**headers, **(also or {})})  # type: ignore[return-value]


def signed(
    provider: str, content: bytes, *, secret: str | None = None, at: float | None = None
) -> tuple[dict[str, str], str]:
    """The headers as the provider would send them now, or at `at`; and the type of the body."""
    secret, at = secret or secret_of(provider), at or time.time()
    if provider in OTHERS:
        login = "Basic " + base64.b64encode(f"mail:{secret}".encode()).decode()
        if provider != "amazon_ses":
            return {"Authorization": login}, "application/json"
        sns = {"x-amz-sns-message-type": "Notification", "x-amz-sns-message-id": "sns-1"}
        return {"Authorization": login, **sns}, "text/plain; charset=UTF-8"
    if provider == "mailersend":
        return {"Signature": hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()}, "application/json"
    if provider == "resend":
        return webhook_signature.signed_headers(
            content, secret, event_id="msg_1", at=at, prefix="svix"
        ), "application/json"
    if provider == "sendgrid":
        stamp = str(int(at))
        key = _sendgrids_key() if secret == secret_of("sendgrid") else ec.generate_private_key(ec.SECP256R1())
        signature = base64.b64encode(key.sign(stamp.encode() + content, ec.ECDSA(hashes.SHA256()))).decode()
        head = "X-Twilio-Email-Event-Webhook-"
        return {f"{head}Signature": signature, f"{head}Timestamp": stamp}, "application/json"
    return {}, "application/json"  # Mailgun signs within the body


# -- bodies ------------------------------------------------------------------------------------------------------------


def _amazon_ses(word: str, what: str, mail_id: str, ours: dict[str, str]) -> Any:
    about = {
        "bounced": {"bounceType": "Permanent", "bounceSubType": "General",
                    "bouncedRecipients": [{"emailAddress": TO, "action": "failed", "status": "5.1.1",
                                           "diagnosticCode": "smtp; 550 5.1.1 user unknown"}]},
        "soft": {"bounceType": "Transient", "bounceSubType": "MailboxFull",
                 "bouncedRecipients": [{"emailAddress": TO}]},
        "complained": {"complainedRecipients": [{"emailAddress": TO}], "complaintFeedbackType": "abuse"},
        "delivered": {"recipients": [TO], "smtpResponse": "250 ok", "processingTimeMillis": 546},
        "deferred": {"delayType": "MailboxFull", "delayedRecipients": [{"emailAddress": TO}]},
    }[what]  # fmt: skip
    event = {
        "eventType": word,
        "mail": {
            "timestamp": "2026-11-23T04:30:00.000Z",
            "source": "bookings@example.org",
            "messageId": mail_id,
            "destination": [TO],
            "headers": [{"name": "X-Metadata", "value": json.dumps(ours)}],
        },
        word.lower(): about,
    }
    return {"Type": "Notification", "MessageId": "sns-1", "TopicArn": "arn:aws:sns:ap-south-1:1:mail",
            "Message": json.dumps(event), "Timestamp": "2026-11-23T04:30:01.000Z"}  # fmt: skip


def _brevo(word: str, _what: str, mail_id: str, ours: dict[str, str]) -> Any:
    return {"event": word, "email": TO, "id": 1, "date": "2026-11-23 10:00:00", "ts_epoch": 1795494600000,
            "message-id": mail_id, "subject": "", "X-Mailin-custom": json.dumps(ours), "reason": "550"}  # fmt: skip


def _mailersend(word: str, _what: str, mail_id: str, _ours: dict[str, str]) -> Any:
    email = {"id": "e", "message": {"id": mail_id}, "recipient": {"email": TO}, "tags": None}
    return {"type": f"activity.{word}", "created_at": "2026-11-23T04:30:00Z",
            "data": {"object": "activity", "id": "a", "type": word, "created_at": "2026-11-23T04:30:00Z",
                     "email": email, "morph": None}}  # fmt: skip


def _mailgun(word: str, what: str, mail_id: str, ours: dict[str, str], key: str = "") -> Any:
    stamp, token = "1795494600", "token-1"
    key = key or SECRETS["mailgun"]
    signature = hmac.new(key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    severity = {"severity": "permanent" if what == "bounced" else "temporary"} if word == "failed" else {}
    data = {"event": word, "id": "x", "timestamp": 1795494600.1, "recipient": TO, "user-variables": ours,
            "message": {"headers": {"message-id": mail_id.strip("<>")}}, **severity}  # fmt: skip
    return {"signature": {"timestamp": stamp, "token": token, "signature": signature}, "event-data": data}


def _mailjet(word: str, what: str, mail_id: str, ours: dict[str, str]) -> Any:
    why = {"hard_bounce": what == "bounced", "blocked": False, "error_related_to": "recipient",
           "error": "greylisted" if what == "deferred" else "user unknown"}  # fmt: skip
    return [{"event": word, "time": 1795494600, "MessageID": int(mail_id), "email": TO, "Payload": json.dumps(ours),
             **(why if word == "bounce" else {})}]  # fmt: skip


def _postmark(word: str, what: str, mail_id: str, ours: dict[str, str]) -> Any:
    kind = {"bounced": "HardBounce", "soft": "SoftBounce", "deferred": "Transient", "complained": "SpamComplaint"}
    type_ = {"Type": kind[what]} if what in kind else {}
    return {"RecordType": word, "ID": 1, "MessageID": mail_id, "Email": TO, "BouncedAt": "2026-11-23T04:30:00Z",
            "Metadata": ours, **type_}  # fmt: skip


def _resend(word: str, what: str, mail_id: str, ours: dict[str, str]) -> Any:
    data: dict[str, Any] = {"email_id": mail_id, "to": [TO], "from": "bookings@example.org",
                            "headers": [{"name": "X-Metadata", "value": json.dumps(ours)}]}  # fmt: skip
    if word == "bounced":
        data["bounce"] = {"type": "Permanent" if what == "bounced" else "Transient", "message": "a bounce message"}
    return {"type": f"email.{word}", "created_at": "2026-11-23T04:30:00.000Z", "data": data}


def _sendgrid(word: str, what: str, mail_id: str, ours: dict[str, str]) -> Any:
    kind = {"bounced": "bounce", "soft": "blocked"}
    type_ = {"type": kind[what], "reason": "550", "status": "5.1.1"} if what in kind else {}
    return [{"event": word, "email": TO, "timestamp": 1795494600, "sg_event_id": "e", "anymail_id": mail_id,
             "smtp-id": "<1@example.org>", **ours, **type_}]  # fmt: skip
