"""What workers and beat leave behind: signs of life, canaries, the runs of timers, and obedience to an operator."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine

from backend.bookings import policy
from backend.bookings.machine import State
from backend.bookings.models import LedgerEntry
from backend.bookings.retention import RULES, Kind
from backend.core import correlation
from backend.ops import heartbeats, operator_actions
from backend.ops.models import Canary, Process, ProcessRole, Timer, TimerRun
from backend.outbox import messages
from backend.outbox.models import Message, MessageState, Queue
from tests.support import scenarios, system_health
from tests.support.broken_steps import fail_for
from tests.support.scenarios import RAVI
from workers import canary, heartbeat, timers
from workers.drain import drain

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _nobody_spoke_yet(settings) -> Iterator[None]:
    settings.NODE_NAME = "here"
    heartbeat._said_at.clear()
    yield
    heartbeat._said_at.clear()


def run(task, at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        task()


def drained(at: datetime) -> list[str]:
    """The rows that a drain of the mail queue performed."""
    done = []

    def perform(row: Message) -> MessageState:
        done.append(row.dedupe_key)
        return MessageState.DONE

    with time_machine.travel(at, tick=False):
        drain(Queue.MAIL, perform, helper=timers.run_asked)
    return done


@pytest.mark.parametrize(
    ("work", "name"),
    [
        (lambda at: drained(at), "mail@here"),
        (lambda at: run(timers.lapse_drafts, at), "timers@here"),
        (lambda at: run(timers.purge_links, at), "timers@here"),
        (lambda at: run(timers.run_asked, at), "timers@here"),
        (lambda at: run(canary.payments, at), "payments@here"),
    ],
)
def test_who_works_leaves_a_sign(work, name: str, now: datetime) -> None:
    work(now)
    process = Process.objects.get()
    assert (process.name, process.role, process.seen_at) == (name, name.partition("@")[0], now)


def test_a_sign_is_written_at_most_every_few_seconds(now: datetime, django_assert_num_queries) -> None:
    drained(now)
    with django_assert_num_queries(4):  # a claim of nothing: is there a trial, the savepoint, the SELECT
        drained(now + heartbeat.RECORD_EVERY - SECOND)
    assert Process.objects.get().seen_at == now
    drained(now + heartbeat.RECORD_EVERY)
    assert Process.objects.get().seen_at == now + heartbeat.RECORD_EVERY


def test_who_stops_takes_its_sign_down(now: datetime) -> None:
    heartbeats.record_heartbeat("mail@here", ProcessRole.MAIL, now=now)
    heartbeats.remove_heartbeat("mail@here")
    assert not Process.objects.exists()


def test_a_canary_that_arrives_is_written(now: datetime) -> None:
    run(canary.mail, now)
    run(canary.mail, now + SECOND)
    row = Canary.objects.get()
    assert (row.queue, row.arrived_at) == ("mail", now + SECOND)


def test_a_sweep_counts_what_it_did(now: datetime, monkeypatch) -> None:
    broken = scenarios.submitted(now=now)
    scenarios.submitted(RAVI, now=now)
    scenarios.submitted("later@example.org", now=now + SECOND)
    fail_for(monkeypatch, timers.timers.lapse_draft, broken)
    at = now + policy.DRAFT_LIFETIME
    correlation.begin("a-sweep")  # as workers/app.py does before a task
    run(timers.lapse_drafts, at)
    row, history = Timer.objects.get(), TimerRun.objects.get()
    for seen in (row, history):
        assert (seen.examined, seen.changed, seen.failed, seen.error) == (2, 1, 1, "")
        assert (seen.started_at, seen.finished_at) == (at, at)
    assert (row.succeeded_at, history.timer) == (at, "lapse_drafts")
    lapsed = LedgerEntry.objects.get(target=State.CANCELLED)
    assert (lapsed.correlation_id, history.correlation_id) == ("a-sweep", "a-sweep")


def test_a_sweep_that_another_worker_overtook_changed_nothing(now: datetime, monkeypatch) -> None:
    scenarios.submitted(now=now)
    monkeypatch.setattr(timers.timers.lapse_draft, "_step", lambda booking, *, now: False)
    run(timers.lapse_drafts, now + policy.DRAFT_LIFETIME)
    assert (Timer.objects.get().examined, Timer.objects.get().changed) == (1, 0)


def test_an_idle_run_leaves_no_history(now: datetime) -> None:
    run(timers.lapse_drafts, now)
    run(timers.purge_links, now)
    assert {row.succeeded_at for row in Timer.objects.all()} == {now}
    assert not TimerRun.objects.exists()


def test_a_run_that_breaks_off_keeps_its_last_success(now: datetime, monkeypatch) -> None:
    run(timers.lapse_drafts, now)
    monkeypatch.setattr(timers.queries, "due", lambda *_args, **_options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(timers.lapse_drafts, now + SECOND)
    row = Timer.objects.get()
    assert (row.started_at, row.finished_at, row.succeeded_at) == (now + SECOND, now + SECOND, now)
    assert (row.error, TimerRun.objects.get().error) == ("ZeroDivisionError", "ZeroDivisionError")


def test_history_is_forgotten_on_its_time(now: datetime) -> None:
    with heartbeats.timer_run("lapse_drafts", clock=lambda: now, asked_by="staff:asha"):
        pass
    run(timers.forget_runs, now + RULES[Kind.RUNS].kept - SECOND)
    assert TimerRun.objects.filter(timer="lapse_drafts").exists()
    run(timers.forget_runs, now + RULES[Kind.RUNS].kept)
    assert not TimerRun.objects.filter(timer="lapse_drafts").exists()


def test_a_timer_that_was_asked_for_runs_once(now: datetime) -> None:
    operator_actions.run_timer("lapse_drafts", actor="staff:asha", now=now)
    assert heartbeats.take_asked_run(now=now - SECOND) is None
    run(timers.run_asked, now)
    run(timers.run_asked, now)
    history = TimerRun.objects.get()
    assert (history.timer, history.asked_by, history.examined) == ("lapse_drafts", "staff:asha", 0)
    assert Timer.objects.get().asked_at is None


def test_a_timer_that_a_new_release_no_longer_has_is_passed_over(now: datetime) -> None:
    Timer.objects.create(name="gone", asked_at=now, asked_by="staff:asha")
    Timer.objects.create(name="lapse_drafts", asked_at=now, asked_by="staff:asha")
    run(timers.run_asked, now)
    assert [row.timer for row in TimerRun.objects.all()] == ["lapse_drafts"]


def test_a_drain_obeys_a_pause_until_it_is_resumed(now: datetime) -> None:
    system_health.due_message(now=now)
    system_health.due_message("2", now=now, queue=Queue.PAYMENTS)
    operator_actions.pause(Queue.MAIL, actor="staff:asha", reason="the provider asks us to wait", now=now)
    assert drained(now) == []
    assert len(messages.claim(Queue.PAYMENTS, now=now)) == 1
    operator_actions.resume(Queue.MAIL, actor="staff:asha", now=now)
    assert drained(now) == ["1"]
