"""Two of everything on one database: each effect happens once, and nobody finds the database locked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from backend.outbox import messages
from backend.outbox.models import Message, MessageState, Queue
from tests.support import mail_sink, scenarios
from tests.support.gateway import until
from tests.support.processes import stack
from tests.support.server import ROOT, environment
from workers import schedule

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.filterwarnings("ignore::ResourceWarning")]
DUE = 60
TO_CLAIM = 500


@pytest.mark.sqlite_only  # which could lock itself; on PostgreSQL the storm asks the same
def test_two_workers_two_beats_and_thrice_the_wake_ups_send_each_mail_once() -> None:
    schedule.install(settings.BEAT_TABLE)
    for number in range(DUE):
        scenarios.submitted(f"visitor{number}@example.org", now=timezone.now())
    due = waiting()
    ids = list(due.values_list("pk", flat=True))
    due.update(next_attempt_at=timezone.now() + timedelta(hours=1))
    with mail_sink.listening() as sink, stack(**sink.environment()) as running:
        workers = [running.begin("worker-mail", f"mail-{n}") for n in range(2)]
        beats = [running.begin("beat", f"beat-{n}") for n in range(2)]
        for worker in workers:
            worker.says(" ready.")
        # nobody works on this queue, so it shows who beats
        until(lambda: len(running.senders("payments")) == 2, within=60, else_show=beats[0].log)
        Message.objects.filter(pk__in=ids).update(next_attempt_at=timezone.now())  # due all at once

        def everything_left() -> bool:
            running.wake("mail", times=3)
            return not waiting().filter(pk__in=ids).exists()

        until(everything_left, within=60, else_show=workers[0].log)
        logs = {process.path.name: process.log() for process in running.processes}
    assert len(sink.accepted) == DUE
    assert set(sink.times_sent().values()) == {1}
    assert Message.objects.filter(state=MessageState.DONE, attempts=1).count() == DUE
    # both were ready; how they share is up to the broker, and one batch of either may hold all that is due
    assert sum(logs[name].count("draft_submitted") for name in ("mail-0.log", "mail-1.log")) == DUE
    for name, text in logs.items():
        assert "locked" not in text, f"{name}:\n{text}"
        assert "Traceback" not in text, f"{name}:\n{text}"


def waiting() -> QuerySet[Message]:
    """Mails whose time has come."""
    return Message.objects.filter(state=MessageState.WAITING, not_before__lte=timezone.now())


def test_two_processes_that_claim_as_fast_as_they_can_never_claim_one_row_twice(tmp_path: Path) -> None:
    owe(TO_CLAIM)
    given = environment(tmp_path)
    claimers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.support.claiming_process"],
            cwd=ROOT, env=given, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    try:
        for claimer in claimers:
            assert claimer.stdout
            assert claimer.stdout.readline() == "ready\n"
        for claimer in claimers:
            assert claimer.stdin
            claimer.stdin.write("go\n")
            claimer.stdin.flush()
        claimed = [json.loads(claimer.communicate(timeout=60)[0]) for claimer in claimers]
    finally:
        for claimer in claimers:
            claimer.kill()
            claimer.wait()
    if connection.vendor == "postgresql":  # SQLite has one writer, who may be served again before the other wakes
        assert all(claimed), "one was done before the other began"
    times = Counter(pk for ids in claimed for pk in ids)
    assert set(times.values()) == {1}
    assert len(times) == TO_CLAIM
    assert set(Message.objects.values_list("fence", flat=True)) == {1}


def owe(count: int) -> None:
    """That many due mails."""
    now = timezone.now() - timedelta(seconds=1)
    with transaction.atomic():
        for number in range(count):
            messages.emit(queue=Queue.MAIL, kind="x", dedupe_key=f"x:{number}", now=now)
