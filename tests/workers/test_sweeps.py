"""Runs in batches: how long they go on, who is set apart, and what two workers and a death in the middle leave."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Barrier

import psycopg
import pytest
import time_machine
from django.db import connection

from backend.bookings import policy
from backend.bookings.lifecycle import transaction
from backend.bookings.lifecycle.timers import lapse_draft
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry
from backend.bookings.notices import Notice
from backend.bookings.retention import RULES, Kind
from backend.ops.models import Timer
from backend.outbox.models import Message
from tests.support import scenarios
from tests.support.broken_steps import fail_for
from tests.support.races import at_once
from tests.support.server import database_url
from workers import sweeps, timers

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_twos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "SWEEP_BATCH", 2)


def drafts(count: int, *, now: datetime) -> list[Booking]:
    return [scenarios.submitted(f"v{n}@example.org", now=now - timedelta(minutes=9 - n)) for n in range(count)]


@pytest.fixture
def overdue(now: datetime) -> Iterator[None]:
    with time_machine.travel(now + policy.DRAFT_LIFETIME, tick=False):
        yield


def counted(name: str = "lapse_drafts") -> tuple[int, int, int]:
    row = Timer.objects.get(pk=name)
    return row.examined, row.changed, row.failed


def test_a_sweep_goes_on_until_nothing_is_due(in_twos: None, now: datetime, overdue: None) -> None:
    drafts(5, now=now)
    timers.lapse_drafts()
    assert counted() == (5, 5, 0)
    assert not Booking.objects.exclude(state=State.CANCELLED).exists()


def test_a_sweep_ends_when_its_time_is_spent(
    in_twos: None, now: datetime, overdue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts(5, now=now)
    turns = iter([True, True, False])
    monkeypatch.setattr(sweeps, "_time_left", lambda _seconds: lambda: next(turns))
    timers.lapse_drafts()
    assert counted() == (4, 4, 0)


def test_one_that_fails_is_set_apart_and_keeps_only_its_batch_from_being_one(
    in_twos: None, now: datetime, overdue: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = drafts(5, now=now)
    tried = fail_for(monkeypatch, lapse_draft, made[2])
    timers.lapse_drafts()
    assert [scenarios.again(booking).state == State.CANCELLED for booking in made] == [True, True, False, True, True]
    assert counted() == (5, 4, 1)
    ids = [booking.pk for booking in made]
    assert tried == [*ids[:2], ids[2], ids[2], ids[3], ids[4]]  # once in the batch, once alone, and not again
    assert "lapse_draft: 2 bookings are tried alone, for one of them failed: RuntimeError" in caplog.text
    assert f"lapse_draft failed for booking {ids[2]}" in caplog.text


def test_rows_that_fail_do_not_hide_those_behind_them(in_twos: None, now: datetime) -> None:
    made = drafts(5, now=now)

    def sometimes(booking_id: int, *, now: datetime) -> None:
        if booking_id in {made[0].pk, made[1].pk}:
            raise RuntimeError("a bug")
        lapse_draft(booking_id, now=now)

    with time_machine.travel(now + policy.DRAFT_LIFETIME, tick=False):
        sweeps.sweep_each("lapse_drafts", lambda *, now: lapse_draft._due(now), sometimes)
    assert counted() == (5, 3, 2)


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_two_workers_divide_what_is_due(in_twos: None, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    made = drafts(8, now=now)
    both, step, taken = Barrier(2), lapse_draft._step, []

    def together(booking: Booking, /, *, now: datetime) -> bool:
        taken.append(booking.pk)
        if len(taken) <= 2:  # each has its first batch in hand before either goes on
            both.wait(20)
        return step(booking, now=now)

    monkeypatch.setattr(lapse_draft, "_step", together)
    later = now + policy.DRAFT_LIFETIME

    def work() -> int:
        done = 0
        while did := lapse_draft.batch(now=later):
            done += len(did)
        return done

    done = at_once([work, work], workers=2)
    assert sum(done) == len(made)
    assert min(done) >= 2
    assert sorted(taken) == [booking.pk for booking in made]
    assert LedgerEntry.objects.filter(target=State.CANCELLED).count() == len(made)
    assert Message.objects.filter(kind=Notice.DRAFT_LAPSED).count() == len(made)


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["bookings_booking", "people_client"])
def test_what_somebody_holds_waits_for_the_next_sweep_and_nobody_waits_for_it(table: str, now: datetime) -> None:
    made = drafts(3, now=now)
    for booking in made:
        lapse_draft(booking.pk, now=now + policy.DRAFT_LIFETIME)
    held = made[1].client_id if table == "people_client" else made[1].pk
    with time_machine.travel(now + policy.DRAFT_LIFETIME + RULES[Kind.DRAFTS].kept, tick=False):
        with psycopg.connect(database_url()) as other:
            other.execute("SET lock_timeout = '1ms'")
            other.execute(f"SELECT 1 FROM {table} WHERE id = %s FOR UPDATE", [held])
            timers.purge_drafts()
        assert counted("purge_drafts") == (2, 2, 0)
        assert not scenarios.again(made[1]).purged_at
        timers.purge_drafts()
    assert scenarios.again(made[1]).purged_at


@pytest.mark.django_db(transaction=True)
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_of_a_batch_whose_worker_is_killed_nothing_stays(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    made = drafts(4, now=now)
    before = list(Booking.objects.order_by("pk").values())
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()
    child = os.fork()
    if not child:
        monkeypatch.setattr(transaction, "_append", lambda _rows: os.kill(os.getpid(), signal.SIGKILL))
        try:
            lapse_draft.batch(now=now + policy.DRAFT_LIFETIME)
        finally:
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert list(Booking.objects.order_by("pk").values()) == before
    assert LedgerEntry.objects.count() == len(made)
    assert len(lapse_draft.batch(now=now + policy.DRAFT_LIFETIME)) == len(made)
