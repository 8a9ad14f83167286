"""The parts of the bench: the large practice, the clients, the table."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from backend.accounts.roles import OWNER
from backend.bookings.machine import HOLDS_SLOT, TAKES_PLACE
from backend.bookings.models import Booking, SlotClaim
from backend.outbox.models import Message
from backend.payments.models import Payment
from tests.bench import load, meters, pages, practice
from tests.bench.figures import Figure, Goal, ratio, table
from tests.bench.rows import desk, idle, processes
from tests.bench.run import Run
from tests.bench.service import Service
from tests.bench.sink import Sink
from tests.support import roles
from tests.support.admin_site import logged_in

pytestmark = pytest.mark.postgres_only


@pytest.mark.django_db
def test_a_large_practice_keeps_the_rules() -> None:
    practice.make(1500)
    now, bookings = timezone.now(), Booking.objects.all()
    assert bookings.count() == 1500
    assert not bookings.filter(created_at__gt=now).exists()
    assert bookings.earliest("created_at").created_at < now - timedelta(days=5 * 365)
    assert SlotClaim.objects.count() == bookings.filter(state__in=HOLDS_SLOT).count() > 20
    assert Payment.objects.filter(state="captured").count() == bookings.filter(state__in=TAKES_PLACE).count()
    for booking in bookings.prefetch_related("ledger"):
        last = list(booking.ledger.all())[-1]
        assert (last.target, last.sequence) == (booking.state, booking.ledger_sequence)
    assert Message.objects.count() > 5 * bookings.count()
    assert not Message.objects.exclude(state="done").exists()
    call_command("check")
    Booking.objects.create(**_like(bookings[0]))  # its numbers go on


def _like(booking: Booking) -> dict[str, object]:
    same = ("preferred_date", "preferred_period", "mode", "payment_mode", "created_at")
    return {name: getattr(booking, name) for name in same} | {"due_at": timezone.now()}


@pytest.mark.django_db
def test_every_page_that_is_measured_opens() -> None:
    practice.make(100)
    browser = logged_in(roles.account(OWNER))
    today = pages.of_reception()["today"]
    figure, _ = desk._of(Run("", "", dict, rounds=1, size=0.1), browser, {"today": today})
    assert "statements" in figure.name
    for url in pages.of_the_owner().values():  # tests/desk/test_list.py opens the others
        desk._open(browser, url)


@pytest.mark.django_db(transaction=True)
def test_clients_say_what_they_took_and_refuse_another_answer(server: str) -> None:
    asked = [load.get("/api/ping/")] * 6
    burst = load.send(server, iter(asked), 200, clients=2)
    assert (len(burst.latencies), burst.statuses) == (6, {200: 6})
    assert burst.rate > 0
    assert burst.p99 > 0
    with pytest.raises(RuntimeError, match="404"):
        load.send(server, iter([load.get("/nowhere")]), 200, clients=1)


def test_a_service_knows_its_parts_and_starts_none(tmp_path: Path) -> None:
    nowhere: Any = SimpleNamespace(url="postgresql://app@nowhere/app", pid=1)
    service = Service(tmp_path, nowhere, Sink(port=1, pid=1))
    assert {"web", "bare web", "bare worker", *processes.MEASURED, *idle.PARTS} <= set(service.stack.parts)
    assert service.groups() == {"web": [], "bare": [], "rest": [], "large": [], "database": [1]}
    assert service.stack.parts["bare web"].environment["DATABASE_URL"] == "postgresql://app@nowhere/bare"


def test_memory_and_cpu_are_read_with_children() -> None:
    assert meters.pss_of(os.getpid()) > 10
    assert meters.CpuMeter(me=[os.getpid()]).spent()["me"] >= 0
    assert meters.cpu_of(os.getpid()) > 0


def test_a_floor_is_held_by_the_median() -> None:
    rates = ratio("intake", [10, 20, 30], [20, 20, 20], Goal(0.9, 1.2))
    cost = Figure("statements", [4], "", Goal(3, 3, is_cost=True))
    assert (rates.median, rates.holds, cost.holds) == (1.0, True, False)
    assert table([rates, cost]).splitlines()[2:] == [
        "| intake | 1.00 [0.50–1.50] × | ≥ 0.9 → 1.2 |  |",
        "| statements | 4.00 | ≤ 3 → 3 | missed |",
    ]
