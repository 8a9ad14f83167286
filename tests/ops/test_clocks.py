"""A clock that differs from the database's is a finding of its own; it makes nobody silent."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from backend.ops import findings, health, snapshot
from backend.ops.models import Process, ProcessRole
from workers import canary, heartbeat

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db]
TWO_MINUTES = timedelta(minutes=2)


@pytest.fixture(autouse=True)
def _named(settings) -> None:
    settings.NODE_NAME = "here"


@pytest.mark.parametrize("ahead", [TWO_MINUTES, -TWO_MINUTES])
def test_a_worker_with_a_wrong_clock_is_alive_and_its_clock_is_named(ahead: timedelta) -> None:
    with time_machine.travel(timezone.now() + ahead):
        heartbeat.compare_clocks()
        canary.mail()
    seen = Process.objects.get()
    assert abs(seen.clock_ahead - ahead) < timedelta(seconds=5)
    assert abs(seen.seen_at - timezone.now()) < timedelta(seconds=5)
    taken = snapshot.take_snapshot(now=timezone.now(), with_figures=False)
    assert taken.health.alive(ProcessRole.MAIL) == 1
    [clock] = [finding for finding in findings.judge(taken) if finding.component == "clock"]
    assert clock.text.startswith("The clock of mail@here is ")
    assert ("ahead of" in clock.text) is (ahead > timedelta(0))
    assert not any(f.component in ("worker-mail", "canary-mail") for f in findings.judge(taken))


def test_a_clock_that_is_right_is_no_finding_and_leaves_signs_as_they_are() -> None:
    heartbeat.compare_clocks()
    heartbeat.record(ProcessRole.MAIL)
    [process] = health.processes(now=timezone.now())
    assert abs(process.clock_ahead) < timedelta(seconds=5)
    taken = snapshot.take_snapshot(now=timezone.now(), with_figures=False)
    assert "clock" not in [finding.component for finding in findings.judge(taken)]
