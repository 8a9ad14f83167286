"""Events of mail providers as Anymail reads them, and what each says of the mail and of the mailbox it went to."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string

from backend.core import webhook_signature
from backend.core.errors import Code, Refused
from backend.notifications.rendering import OUR_ID
from backend.outbox.deliveries import DeliveryReport
from backend.outbox.models import Delivery

if TYPE_CHECKING:
    from anymail.signals import AnymailTrackingEvent
    from anymail.webhooks.base import AnymailCoreWebhookView

log = logging.getLogger(__name__)

_VIEWS = {  # as Anymail spells them
    "amazon_ses": "AmazonSES",
    "brevo": "Brevo",
    "mailersend": "MailerSend",
    "mailgun": "Mailgun",
    "mailjet": "Mailjet",
    "postmark": "Postmark",
    "resend": "Resend",
    "sendgrid": "SendGrid",
}
_DELIVERIES = {  # Anymail's word → ours; of the others nothing follows
    "deferred": Delivery.DEFERRED,
    "delivered": Delivery.DELIVERED,
    "bounced": Delivery.BOUNCED,
    "rejected": Delivery.BOUNCED,  # by the provider itself
    "failed": Delivery.BOUNCED,
    "complained": Delivery.COMPLAINED,
}
_ABOUT_THE_MAILBOX = ("bounced", "invalid", "spam", "unsubscribed")  # else the provider minds the mail, or us
# whether a bounce may pass, such as that of a full mailbox, by the provider's own words
_MAY_PASS: dict[str, Callable[[Any], bool]] = {
    "amazon_ses": lambda said: said["bounce"]["bounceType"] != "Permanent",
    "brevo": lambda said: said["event"] == "soft_bounce",
    "mailersend": lambda said: said["data"]["type"] == "soft_bounced",
    "mailjet": lambda said: not said.get("hard_bounce"),
    "postmark": lambda said: said["Type"] != "HardBounce",
    "resend": lambda said: said["data"]["bounce"].get("type") in ("Transient", "Undetermined"),
    "sendgrid": lambda said: said.get("type") == "blocked",
}


def read_reports(provider: str, request: HttpRequest, *, now: datetime) -> list[DeliveryReport]:
    """What a genuine request reports; nothing where it cannot be read. Refuses: signature_invalid."""
    view = _view(provider)
    _require_genuine(provider, view, request, now=now)
    try:
        _note_subscription(request)
        events = view.parse_events(request)
        return [report for event in events if (report := _report(provider, event)) is not None]
    except Exception as error:  # noqa: BLE001  # Anymail expects the documented shapes; sent again, it reads no better
        log.error("an event of %s cannot be read: %s", provider, type(error).__name__)  # quotes nobody
        return []


def logs_in() -> bool:
    """Whether the provider signs nothing, and is known by a password."""
    return "WEBHOOK_SECRET" in settings.ANYMAIL


def _view(provider: str) -> AnymailCoreWebhookView:
    name = f"anymail.webhooks.{provider}.{_VIEWS[provider]}TrackingWebhookView"
    # Anymail would confirm a subscription over the network, within the request
    more: dict[str, object] = {"auto_confirm_sns_subscriptions": False} if provider == "amazon_ses" else {}
    if provider == "resend":  # judged below; Anymail would ask for a library of its own, and warns without any
        more = {"webhook_secret": "unused"}
    view: AnymailCoreWebhookView = import_string(name)(**more)
    return view


def _require_genuine(provider: str, view: AnymailCoreWebhookView, request: HttpRequest, *, now: datetime) -> None:
    """Refuses: signature_invalid."""
    if provider == "resend":
        check = partial(
            webhook_signature.is_signed,
            *(request.body, request.headers, settings.EMAIL_WEBHOOK_SECRET),
            at=now.timestamp(),
            prefix=webhook_signature.SVIX,
        )
    else:
        check = partial(_satisfies, view, request)
    if not check():
        raise Refused(Code.SIGNATURE_INVALID)


def _satisfies(view: AnymailCoreWebhookView, request: HttpRequest) -> bool:
    """What a check of Anymail's cannot read is not genuine either."""
    with suppress(Exception):
        view.run_validators(request)
        return True
    return False


def _note_subscription(request: HttpRequest) -> None:
    """Of Amazon's SNS: its address is opened by an operator, once. It is of no use to anybody else."""
    if request.headers.get("x-amz-sns-message-type") == "SubscriptionConfirmation":
        log.warning("confirm the subscription: %s", json.loads(request.body)["SubscribeURL"])


def _report(provider: str, event: AnymailTrackingEvent) -> DeliveryReport | None:
    delivery = _DELIVERIES.get(event.event_type)
    if delivery is None:
        return None
    is_bounce = event.event_type == "bounced"
    if is_bounce and provider in _MAY_PASS and _MAY_PASS[provider](event.esp_event):
        return DeliveryReport(event.message_id or "", _our_id(event), Delivery.DEFERRED)
    closes = (
        is_bounce
        or delivery == Delivery.COMPLAINED
        or (event.event_type == "rejected" and event.reject_reason in _ABOUT_THE_MAILBOX)
    )
    return DeliveryReport(event.message_id or "", _our_id(event), delivery, closes_mailbox=closes)


def _our_id(event: AnymailTrackingEvent) -> UUID | None:
    with suppress(ValueError, AttributeError, TypeError):
        return UUID(str(event.metadata.get(OUR_ID, "")))
    return None
