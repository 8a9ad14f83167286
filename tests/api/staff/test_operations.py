"""What operators do, through the API."""

from __future__ import annotations

from datetime import datetime

import pytest
from django_celery_beat import models as beat

from backend.accounts.roles import Role
from backend.ops.models import Act
from backend.outbox.models import Message, MessageState
from tests.support import api, roles, scenarios, staff_api
from tests.support.staff_api import STAFF, Desk

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]


@pytest.fixture
def operator() -> Desk:
    user = roles.account(Role.OPERATOR)
    return Desk(user, staff_api.token(user))


def test_dead_letters_are_tried_again_or_discarded_one_or_many(operator: Desk, now: datetime) -> None:
    for name in "abc":
        scenarios.pending(f"{name}@example.org", now=now)
    Message.objects.update(state=MessageState.DEAD, settled_at=now, last_error="refused")
    listed = api.done(operator.get(f"{STAFF}messages/", query={"state__in": MessageState.DEAD.value}))["messages"]
    first, second, *_ = [f"{STAFF}messages/{row['id']}/" for row in listed]
    assert api.done(operator.post(f"{first}redrive/")) == {"is_done": True}
    assert api.done(operator.post(f"{first}redrive/")) == {"is_done": False}
    assert "reason" in api.error(operator.post(f"{second}discard/"), 400, "invalid")["errors"]
    assert api.done(operator.post(f"{second}discard/", {"reason": "Told by hand."}))["is_done"]
    rest = {"error": "refus", "per_minute": 60}
    assert api.done(operator.post(f"{STAFF}dead-letters/redrive/", rest)) == {"count": len(listed) - 2}
    assert api.done(operator.post(f"{STAFF}dead-letters/discard/", {"reason": "x"})) == {"count": 0}
    assert Act.objects.filter(actor="staff:operator").count() == len(listed)


def test_a_queue_is_paused_and_resumed_and_a_timer_is_run(operator: Desk) -> None:
    queue = f"{STAFF}queues/mail/"
    assert api.done(operator.post(f"{queue}pause/", {"reason": "Provider down."}))["is_done"]
    assert api.done(operator.get(queue))["reason"] == "Provider down."
    assert api.done(operator.post(f"{queue}resume/"))["is_done"]
    assert api.done(operator.get(queue)) == {
        "queue": "mail", "paused_at": None, "paused_by": None, "reason": None, "held": [],
    }  # fmt: skip
    every = beat.IntervalSchedule.objects.create(every=1, period="days")
    beat.PeriodicTask.objects.create(name="x", task="workers.timers.lapse_drafts", interval=every)
    assert api.done(operator.post(f"{STAFF}timers/lapse_drafts/run/"))["is_done"]
    for wrong in ("timers/none/run/", "queues/none/pause/", "messages/999/redrive/"):
        api.error(operator.post(f"{STAFF}{wrong}", {"reason": "x"}), 404, "not_found")


def test_the_overview_tells_what_is_wrong(operator: Desk) -> None:
    told = api.done(operator.get(f"{STAFF}overview/"))
    assert {"level", "component", "text", "advice"} == set(told["findings"][0])
    assert told["snapshot"]
