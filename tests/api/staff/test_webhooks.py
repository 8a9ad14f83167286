"""Subscriptions through the staff API, from the first to the end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from backend.outbox.models import Message, MessageState, Queue
from backend.webhooks import subscriptions
from backend.webhooks.models import Subscription
from tests.support import api, scenarios
from tests.support.staff_api import STAFF, desk
from tests.support.webhook_receiver import listening
from workers import calls

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only, pytest.mark.usefixtures("clock")]
WEBHOOKS = f"{STAFF}webhooks/"


def test_a_subscription_from_its_secret_to_its_end(now: datetime, settings: Any) -> None:
    settings.CALL_LOOPBACK = True
    staff = desk("change_subscription")
    with listening() as receiver:
        asked = {"name": "Partner", "address": receiver.url, "events": ["booking.requested"]}
        made = api.done(staff.post(WEBHOOKS, asked), 201)
        one = f"{WEBHOOKS}{made['id']}/"
        assert subscriptions.secrets_of(Subscription.objects.get(), now=now)[0].secret == made["secret"]
        shown = api.done(staff.post(one, {**asked, "name": "Other"}))
        assert shown == {**{key: made[key] for key in made if key != "secret"}, "name": "Other"}
        assert api.done(staff.get(WEBHOOKS)) == {"subscriptions": [shown], "next": None}
        assert api.done(staff.post(f"{one}rotate-secret/", {"hours": 1}))["secret"] != made["secret"]
        scenarios.pending(now=now)
        calls.drain()
        [delivery] = api.done(staff.get(f"{one}deliveries/"))["deliveries"]
        assert (delivery["type"], delivery["status"]) == ("booking.requested", 204)
        again = {"webhook_id": delivery["webhook_id"]}
        assert api.done(staff.post(f"{one}send-again/", again))["message"] == "It is sent again."
        assert Message.objects.get(queue=Queue.CALLS).state == MessageState.WAITING
        api.done(staff.post(f"{one}end/"))
    assert api.done(staff.get(one))["ended_why"] == "by_staff"
    api.error(staff.post(f"{one}rotate-secret/"), 404, "not_found")


@pytest.mark.parametrize(
    "changed", [{"address": "https://127.0.0.1/"}, {"events": ["x"]}, {"events": []}, {"name": ""}]
)
def test_what_cannot_be_is_refused(changed: dict[str, Any], settings: Any) -> None:
    settings.CALL_LOOPBACK = True
    asked = {"name": "x", "address": "http://localhost:9/", "events": ["booking.requested"], **changed}
    answer = desk("change_subscription").post(WEBHOOKS, asked)
    assert list(api.error(answer, 400, "invalid")["errors"]) == list(changed)


def test_who_may_only_see_acts_on_nothing(now: datetime) -> None:
    made, _ = subscriptions.subscribe(name="x", address="x", events=[], by="x", now=now)
    reader = desk("view_subscription")
    api.done(reader.get(f"{WEBHOOKS}{made.pk}/"))
    api.error(reader.post(f"{WEBHOOKS}{made.pk}/end/"), 404, "not_found")
    api.error(desk("view_booking", username="other").get(WEBHOOKS), 404, "not_found")


def test_a_subscription_is_changed_only_as_it_was_read(now: datetime, settings: Any) -> None:
    settings.CALL_LOOPBACK = True
    staff = desk("change_subscription")
    asked = {"name": "Partner", "address": "http://localhost:9/", "events": ["booking.requested"]}
    made = staff.post(WEBHOOKS, asked)
    one = f"{WEBHOOKS}{api.done(made, 201)['id']}/"
    read = staff.get(one)
    assert read["ETag"] == made["ETag"]
    Subscription.objects.update(failures=1, failing_since=now)  # how its server does is no change of it
    assert staff.get(one)["ETag"] == read["ETag"]
    changed = staff.post(one, {**asked, "name": "Other"}, if_match=read["ETag"])
    assert changed["ETag"] == staff.get(one)["ETag"] != read["ETag"]
    for path, sent in ((one, asked), (f"{one}rotate-secret/", {})):
        api.error(staff.post(path, sent, if_match=read["ETag"]), 412, "changed_since")
    assert Subscription.objects.get().name == "Other"
    rotated = staff.post(f"{one}rotate-secret/", {}, if_match=changed["ETag"])
    assert api.done(rotated)["secret"]
    api.error(staff.post(f"{one}rotate-secret/", {}, if_match=changed["ETag"]), 412, "changed_since")
    assert len(subscriptions.secrets_of(Subscription.objects.get(), now=now)) == 2  # the receiver's is one of them
