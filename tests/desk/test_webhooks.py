"""Subscriptions on the desk: who makes one, what it refuses, the secret that is shown once, what is sent again."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client as Browser

from backend.outbox.models import Message, MessageState, Queue
from backend.webhooks import subscriptions
from backend.webhooks.models import Delivery, EndedWhy, Subscription
from tests.support import admin_site, scenarios

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only]
LIST, DELIVERIES = "/admin/webhooks/subscription/", "/admin/webhooks/delivery/"


def log_in(*permissions: str) -> Browser:
    return admin_site.clerk("-".join(permissions) or "nobody", *permissions)


def test_one_is_made_with_a_secret_that_is_shown_once(settings: object, now: datetime) -> None:
    settings.CALL_LOOPBACK = True  # type: ignore[attr-defined]
    desk = log_in("add_subscription", "view_subscription", "change_subscription")
    typed = {"name": "Partner", "address": "http://10.0.0.1/", "events": ["booking.confirmed"]}
    assert "The address must begin with https://." in desk.post(f"{LIST}add/", typed).content.decode()
    shown = desk.post(f"{LIST}add/", {**typed, "address": "http://localhost:9/in"})
    made = Subscription.objects.get()
    [secret] = subscriptions.secrets_of(made, now=now)
    assert secret.secret in shown.content.decode()
    assert made.events == ["booking.confirmed"]
    assert "no-store" in shown["Cache-Control"]
    page = desk.get(f"{LIST}{made.pk}/change/").content.decode()
    assert "Active" in page
    assert secret.secret not in page
    renewed = desk.post(LIST, {"action": "give_new_secret", "_selected_action": made.pk}).content.decode()
    assert subscriptions.secrets_of(made, now=now)[0].secret in renewed
    desk.post(LIST, {"action": "end", "_selected_action": made.pk})
    assert Subscription.objects.get().ended_why == EndedWhy.BY_STAFF


def test_who_may_only_see_changes_nothing(now: datetime) -> None:
    made, _ = subscriptions.subscribe(name="x", address="https://x.example.org", events=[], by="x", now=now)
    reader, nobody = log_in("view_subscription", "view_delivery"), log_in()
    assert reader.get(LIST).status_code == 200
    assert nobody.get(LIST).status_code == 404
    reader.post(LIST, {"action": "end", "_selected_action": made.pk})
    assert Subscription.objects.get().ended_at is None


def test_an_event_is_sent_again_from_the_log(now: datetime) -> None:
    told, _ = subscriptions.subscribe(
        name="x", address="https://x.example.org", events=["booking.requested"], by="x", now=now
    )
    scenarios.pending(now=now)
    row = Message.objects.get(queue=Queue.CALLS)
    Message.objects.filter(pk=row.pk).update(state=MessageState.DONE, settled_at=now, attempts=1)
    for ago in range(2):
        at = now - timedelta(seconds=ago)
        Delivery.objects.create(subscription=told, message=row, at=at, status=204, milliseconds=5)
    desk = log_in("view_delivery", "change_subscription")
    chosen = list(Delivery.objects.values_list("pk", flat=True))
    said = desk.post(DELIVERIES, {"action": "send_again", "_selected_action": chosen}, follow=True).content.decode()
    assert "Sent again: 1." in said
    row.refresh_from_db()
    assert (row.state, row.attempts) == (MessageState.WAITING, 0)
