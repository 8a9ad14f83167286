"""What mail providers report: genuine events take a mail forward, forged ones change nothing."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from backend.outbox.models import Delivery, Message, MessageState, Queue
from config import mail
from tests.support import mail_events

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sqlite_only,
    pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailNotSupportedWarning"),
]
IDS = {"mailjet": "12345", "brevo": "<1@example.org>", "mailgun": "<1@example.org>"}
EXPECTED = {
    "delivered": Delivery.DELIVERED,
    "deferred": Delivery.DEFERRED,
    "bounced": Delivery.BOUNCED,
    "soft": Delivery.DEFERRED,
    "complained": Delivery.COMPLAINED,
}
UNKNOWN_TO_ANYMAIL = [("amazon_ses", "deferred"), ("mailersend", "deferred")]  # nothing follows from these


def mail_that_left(now: datetime, provider: str, *, number: int = 1, **columns: Any) -> Message:
    given = {"state": MessageState.DONE, "settled_at": now, "provider_message_id": IDS.get(provider, "mail-1")}
    return Message.objects.create(
        queue=Queue.MAIL, kind="booking_confirmed", dedupe_key=f"m:{number}", recipient="asha@example.org",
        mailbox="asha@example.org", not_before=now, next_attempt_at=now, created_at=now, **(given | columns),
    )  # fmt: skip


def event(provider: str, what: str, **given: str) -> bytes:
    return mail_events.body(provider, what, **{"mail_id": IDS.get(provider, "mail-1"), **given})


def deliveries() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("delivery", flat=True))


@pytest.mark.parametrize("what", EXPECTED)
@pytest.mark.parametrize("provider", mail.PROVIDERS)
def test_each_event_of_each_provider_takes_its_mail_forward(
    provider: str, what: str, now: datetime, settings: Any
) -> None:
    mail_events.use(settings, provider)
    mail_that_left(now, provider)
    answer = mail_events.post(provider, event(provider, what))
    expected = "" if (provider, what) in UNKNOWN_TO_ANYMAIL else EXPECTED[what]
    assert (answer.status_code, deliveries()) == (200, [expected])


@pytest.mark.parametrize("provider", mail.PROVIDERS)
def test_a_forged_event_changes_nothing(provider: str, now: datetime, settings: Any) -> None:
    mail_events.use(settings, provider)
    row = mail_that_left(now, provider)
    content = event(provider, "bounced", ours=str(row.uuid))
    if provider == "mailgun":
        said = json.loads(content)
        said["signature"]["signature"] = "0" * 64
        content = json.dumps(said).encode()
    answer = mail_events.post(provider, content, secret="whsec_" + "A" * 32)
    bare = Client().post(f"/api/hooks/mail/{provider}/", event(provider, "bounced"), content_type="application/json")
    expected = 401 if provider in mail_events.OTHERS else 400 if provider != "mailgun" else 200
    assert (answer.status_code, bare.status_code) == (400, expected)
    assert deliveries() == ([""] if provider != "mailgun" else ["bounced"])  # its signature is within the body


def test_a_changed_body_is_forged(now: datetime, settings: Any) -> None:
    for provider in ("mailersend", "resend", "sendgrid"):
        mail_events.use(settings, provider)
        content = event(provider, "delivered")
        headers, content_type = mail_events.signed(provider, content, at=now.timestamp())
        changed = content.replace(b"mail-1", b"mail-2")
        answer = Client().post(f"/api/hooks/mail/{provider}/", changed, content_type=content_type, headers=headers)  # type: ignore[arg-type]
        assert answer.status_code == 400, provider


@pytest.mark.parametrize("late", [-301, 301])
def test_a_copied_signature_is_good_for_five_minutes(late: int, now: datetime, settings: Any) -> None:
    mail_events.use(settings, "resend")
    mail_that_left(now, "resend")
    answer = mail_events.post("resend", event("resend", "bounced"), at=now.timestamp() + late)
    assert (answer.status_code, deliveries()) == (400, [""])


def test_a_subscription_is_confirmed_by_an_operator(now: datetime, settings: Any, caplog: Any) -> None:
    mail_events.use(settings, "amazon_ses")
    url = "https://sns.ap-south-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    content = {"Type": "SubscriptionConfirmation", "MessageId": "sns-1", "TopicArn": "arn:aws:sns:ap-south-1:1:mail",
               "Token": "t", "SubscribeURL": url}  # fmt: skip
    head = {"x-amz-sns-message-type": "SubscriptionConfirmation"}
    assert mail_events.post("amazon_ses", json.dumps(content).encode(), also=head).status_code == 200
    assert f"confirm the subscription: {url}" in caplog.text


ORDERS = [
    ("deferred delivered", "delivered"),
    ("delivered deferred", "delivered"),  # the later came first
    ("delivered delivered", "delivered"),
    ("delivered bounced", "bounced"),  # its server took it, and found nobody
    ("bounced delivered", "bounced"),
    ("delivered complained bounced", "complained"),
    ("bounced bounced", "bounced"),
]


@pytest.mark.parametrize(("order", "expected"), ORDERS)
def test_events_come_twice_and_in_any_order(order: str, expected: str, now: datetime, settings: Any) -> None:
    mail_events.use(settings, "postmark")
    mail_that_left(now, "postmark")
    assert {mail_events.post("postmark", event("postmark", what)).status_code for what in order.split()} == {200}
    assert deliveries() == [expected]


def test_an_event_before_the_answer_is_found_by_our_own_id(now: datetime, settings: Any) -> None:
    mail_events.use(settings, "brevo")
    other = mail_that_left(now, "brevo", number=2, provider_message_id="")
    mail_events.post("brevo", event("brevo", "delivered", mail_id="<new@example.org>", ours=str(other.uuid)))
    assert deliveries() == ["delivered"]


def test_what_was_perhaps_sent_is_known_to_have_left(now: datetime, settings: Any) -> None:
    mail_events.use(settings, "postmark")
    row = mail_that_left(now, "postmark", state=MessageState.UNKNOWN, may_have_left=True, hand_overs=2)
    mail_events.post("postmark", event("postmark", "delivered"))
    row.refresh_from_db()
    assert (row.state, row.delivery) == (MessageState.DONE, Delivery.DELIVERED)


@pytest.mark.parametrize("content", [b"{}", b"[]", b"nonsense", b'{"RecordType": "Bounce", "Type": []}'])
def test_a_genuine_event_that_says_nothing_of_ours_is_not_sent_again(
    content: bytes, now: datetime, settings: Any
) -> None:
    mail_events.use(settings, "postmark")
    mail_that_left(now, "postmark")
    assert mail_events.post("postmark", content).status_code == 200
    assert mail_events.post("postmark", event("postmark", "bounced", mail_id="of-another")).status_code == 200
    assert deliveries() == [""]


def test_only_who_sends_our_mails_is_heard_and_not_at_length(now: datetime, settings: Any) -> None:
    mail_events.use(settings, "postmark")
    assert mail_events.post("brevo", event("brevo", "bounced")).status_code == 404
    assert mail_events.post("postmark", b" " * (64 * 1024 + 1)).status_code == 413
    settings.EMAIL_WEBHOOK_SECRET = ""
    assert mail_events.post("postmark", event("postmark", "bounced")).status_code == 404
