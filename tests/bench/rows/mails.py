"""Mails through one worker process into a provider that takes all, against one Celery task a mail."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone

from backend.outbox.models import Message, MessageState
from tests.bench.counting import asked_by
from tests.bench.figures import Figure, Goal, ratio
from tests.bench.meters import CpuMeter
from tests.bench.naive_mails import Naive
from tests.bench.run import Run
from tests.support import scenarios
from workers import mail
from workers.app import app

MAILS = 300  # a round
A_SECOND, AGAINST_TASK = Goal(300, 500), Goal(1, 1.5)  # docs/decisions/057 says why not 4 and 6
STATEMENTS = Goal(3, 3, is_cost=True)
WAKE_EVERY = 1.0  # seconds, as beat does
LOOK_EVERY = 0.05
GIVE_UP_AFTER = 60.0
FRESH = {
    "state": MessageState.WAITING, "settled_at": None, "lease_expires_at": None, "attempts": 0, "hand_overs": 0,
    "may_have_left": False, "context": None, "frozen_at": None, "last_error": "",
}  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """What so many mails took."""

    mails: int
    seconds: float
    cpu: dict[str, float]

    @property
    def rate(self) -> float:
        return self.mails / self.seconds

    def each_ms(self, group: str) -> float:
        return 1000 * self.cpu[group] / self.mails


def measure(run: Run) -> list[Figure]:
    """The same letter, to as many people, by turns."""
    owed = owe(run.many(MAILS))
    run.parts.sink.takes(0)
    run.parts.only("broker", "mail", "bare worker", WORKER_CONCURRENCY="1")
    naive = Naive(run.parts, len(owed))
    found = run.compare({"ours": lambda: _ours(run, owed), "tasks": lambda: _tasks(run, naive)})
    run.parts.only("broker")
    ours, tasks = found["ours"], found["tasks"]
    rates = [one.rate for one in ours], [one.rate for one in tasks]
    return [
        Figure("mails a second through one worker process", rates[0], "", A_SECOND),
        ratio("against one Celery task a mail", *rates, AGAINST_TASK),
        Figure("mails a second by tasks", rates[1]),
        *statements_of(owed),
        Figure("CPU of the worker a mail", [one.each_ms("rest") for one in ours], "ms"),
        Figure("CPU of the database a mail", [one.each_ms("database") for one in ours], "ms"),
        Figure("the task's, of its worker", [one.each_ms("bare") for one in tasks], "ms"),
        Figure("the task's, of the database", [one.each_ms("database") for one in tasks], "ms"),
    ]


def owe(count: int) -> list[int]:
    """Letters that ask for the address to be proved, by the intent that owes them."""
    now = timezone.now()
    for number in range(count):
        scenarios.submitted(f"m{number}@bench.example", now=now)
    owed = Message.objects.filter(kind="draft_submitted", recipient__regex=r"^m\d+@bench\.example$")
    return list(owed.values_list("pk", flat=True))


def again(owed: list[int]) -> None:
    """As nobody had ever tried."""
    Message.objects.filter(queue="mail", state=MessageState.WAITING).exclude(pk__in=owed).update(
        state=MessageState.OBSOLETE, settled_at=timezone.now()
    )
    Message.objects.filter(pk__in=owed).update(**FRESH, next_attempt_at=timezone.now())


def left(owed: list[int]) -> int:
    return Message.objects.filter(pk__in=owed, state=MessageState.WAITING).count()


def statements_of(owed: list[int]) -> list[Figure]:
    """In this process, since a database does not say who asked."""
    again(owed)
    statements = transactions = 0
    while left(owed):
        asked = asked_by(mail.drain)
        statements, transactions = statements + asked.statements, transactions + asked.transactions
    mail._outlet.close()
    return [
        Figure("statements a mail", [statements / len(owed)], "", STATEMENTS),
        Figure("transactions a mail", [transactions / len(owed)]),
    ]


def _ours(run: Run, owed: list[int]) -> Sent:
    again(owed)
    return _timed(run, lambda: app.send_task("workers.mail.drain", queue="mail"), lambda: left(owed), again=True)


def _tasks(run: Run, naive: Naive) -> Sent:
    naive.again()
    return _timed(run, naive.send, naive.left)


def _timed(run: Run, wake: Callable[[], object], still: Callable[[], int], *, again: bool = False) -> Sent:
    """From the first wake-up until nothing is left."""
    count, meter = still(), CpuMeter(**run.groups())
    began = woken_at = time.monotonic()
    wake()
    while still():
        time.sleep(LOOK_EVERY)
        now = time.monotonic()
        if again and now - woken_at >= WAKE_EVERY:
            woken_at = now
            wake()
        if now - began > GIVE_UP_AFTER:
            raise RuntimeError(f"{still()} of {count} mails were not sent")
    return Sent(count, time.monotonic() - began, meter.spent())
