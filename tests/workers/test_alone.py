"""A worker's stand-in does what beat would wake the worker for."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django_celery_beat.models import PeriodicTask

from backend.bookings.machine import State
from backend.ops.models import Canary, Timer
from config import schedule as table
from tests.support import scenarios
from workers import alone, schedule

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db(transaction=True)]


def test_mails_leave_without_a_wake_up(now: datetime, mailoutbox: list[object]) -> None:
    schedule.install(table.TABLE)
    scenarios.submitted("asha@example.org", now=now)
    with time_machine.travel(now):
        alone.work_once("mail", {}, now=0.0)
    assert len(mailoutbox) == 1
    assert not Canary.objects.exists()  # it would say that the queue works


def test_deadlines_are_kept_at_their_interval_and_switched_off_timers_stay_off(now: datetime) -> None:
    schedule.install(table.TABLE)
    PeriodicTask.objects.filter(name="complete sessions").update(enabled=False)
    booking = scenarios.submitted("asha@example.org", now=now)
    next_at: dict[str, float] = {}
    with time_machine.travel(now + timedelta(days=3)):
        alone.work_once("timers", next_at, now=0.0)
    booking.refresh_from_db()
    assert booking.state == State.CANCELLED
    assert not Timer.objects.filter(pk="complete_sessions").exists()
    assert next_at["workers.timers.lapse_drafts"] == table.SWEEP_EVERY.total_seconds()

    Timer.objects.all().delete()
    alone.work_once("timers", next_at, now=table.SWEEP_EVERY.total_seconds() - 1)
    assert not Timer.objects.exists()
    alone.work_once("timers", next_at, now=table.SWEEP_EVERY.total_seconds())
    assert Timer.objects.filter(pk="lapse_drafts").exists()
    assert not Timer.objects.filter(pk="purge_drafts").exists()


def test_one_broken_task_does_not_keep_the_others_waiting(now: datetime) -> None:
    schedule.install(table.TABLE)
    PeriodicTask.objects.filter(name="lapse drafts").update(task="workers.timers.of_an_older_release")
    alone.work_once("timers", {}, now=0.0)
    assert Timer.objects.filter(pk="complete_sessions").exists()
