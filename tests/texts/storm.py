"""Blows it: workers by themselves, as when no broker wakes them, one killed every now and then; then calm."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from django.db import close_old_connections

from backend.bookings.notices import Notice
from backend.outbox.models import Message, MessageState
from tests.support.fake_channels import base, custom, msg91, whatsapp
from tests.support.fake_channels.base import AS_ASKED, FAILS, GONE, HANGS, HANGS_UP, FakeChannel
from tests.support.server import ROOT, database_url, web_server
from tests.texts.people import come_due, owe
from tests.texts.plan import Journal, Person, Plan
from tests.texts.postbox import Postbox, open_postbox
from tests.texts.reporter import Reporter

PROVIDERS = (whatsapp.WhatsApp, msg91.Msg91, custom.Custom)
# of each request in a hundred: taken and not answered, taken and the answer lost, ... and what was not taken
TROUBLE = {FAILS: 3, HANGS_UP: 3, HANGS: 0.2, 429: 4, 503: 2}
IN_OUTAGE = {"whatsapp": 503, "sms": GONE, "custom": 429}
BUSY_MAIL = 0.02
OUTAGE_AT = 0.3  # of all, were asked


@dataclass(frozen=True)
class Blown:
    """What is judged."""

    plan: Plan
    people: list[Person]
    fakes: Mapping[str, FakeChannel]
    postbox: Postbox
    journal: Journal
    seconds: float


def blow(plan: Plan, variables: Mapping[str, str]) -> Blown:
    """`variables`: of every process, beside those that lead to the fakes. The database is Django's own."""
    chance, journal = random.Random(plan.seed), Journal()
    with ExitStack() as stack:
        postbox = stack.enter_context(open_postbox())
        fakes = {kind().name: stack.enter_context(base.serving(kind())) for kind in PROVIDERS}
        given = {**variables, **postbox.variables(), "FALLBACK_AFTER": f"{plan.fallback_after}s", "BACK_OFF_MOST": "2s"}
        given["DATABASE_URL"] = database_url()
        for fake in fakes.values():
            given |= fake.provider.variables()
        people = owe(plan)
        url = stack.enter_context(web_server(**{**given, "DATABASE_POOL": "4"}))  # as many threads answer
        reporter = Reporter(url, fakes, postbox, journal, plan.fallback_after, random.Random(plan.seed + 1))
        _fair(fakes, postbox, chance)
        began = time.monotonic()
        come_due(plan, people)
        with (
            reporter.running(),
            _workers(plan, journal, given, lambda: _asked(fakes) + len(postbox.taken)) as calm_down,
        ):
            _wait(lambda: _asked(fakes) >= OUTAGE_AT * plan.people or not _waiting(), plan.due_within + 120)
            _outage(plan, fakes, journal)
            _fair(fakes, postbox, chance)
            _wait(lambda: _waiting() <= plan.people * 0.1, plan.due_within + 120)
            calm_down()
            _wait(lambda: not _waiting() and reporter.is_quiet(), plan.calm)
        return Blown(plan, people, fakes, postbox, journal, time.monotonic() - began)


def _fair(fakes: Mapping[str, FakeChannel], postbox: Postbox, chance: random.Random) -> None:
    """As good as it gets."""

    def draw() -> int:
        drawn, trouble = chance.uniform(0, 100), iter(TROUBLE.items())
        return next((what for what, share in trouble if (drawn := drawn - share) < 0), AS_ASKED)

    for fake in fakes.values():
        fake.chance = draw
    postbox.is_busy = lambda: chance.random() < BUSY_MAIL


def _outage(plan: Plan, fakes: Mapping[str, FakeChannel], journal: Journal) -> None:
    """No provider takes anything, each in a way of its own."""
    before = {name: len(fake.asked) for name, fake in fakes.items()}
    for name, fake in fakes.items():
        fake.chance = lambda trouble=IN_OUTAGE[name]: trouble
    time.sleep(plan.outage)
    for name, fake in fakes.items():
        journal.refused_in_outage[name] = len(fake.asked) - before[name]


def _asked(fakes: Mapping[str, FakeChannel]) -> int:
    return sum(len(fake.asked) for fake in fakes.values())


def _waiting() -> int:
    """Reminders and texts that are not settled; what is told by telephone waits for staff."""
    close_old_connections()
    owed = Message.objects.filter(state=MessageState.WAITING)
    reminders = owed.filter(kind=Notice.SESSION_APPROACHING).exclude(recipient="")
    return reminders.count() + owed.filter(kind__startswith="text:").count()


def _wait(is_so: Callable[[], bool], seconds: float) -> None:
    """What is not so by then, the verdict says."""
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at and not is_so():
        time.sleep(0.5)


@contextmanager
def _workers(
    plan: Plan, journal: Journal, given: Mapping[str, str], requests: Callable[[], int]
) -> Iterator[Callable[[], None]]:
    """As many of each queue as there are; yields what ends the killing, of whoever has lived the longest."""
    over = threading.Event()
    running = [(queue, _started(queue, given)) for queue in ("calls", "mail") for _ in range(plan.workers)]

    def kill() -> None:
        seen = 0
        while not over.wait(0.1):
            if requests() - seen < plan.killed_after or journal.killed.total() == plan.kills_most:
                continue
            oldest = next(one for one in running if one[0] in plan.kills)
            running.remove(oldest)
            queue, process = oldest
            process.kill()
            process.wait()
            journal.killed[queue] += 1
            running.append((queue, _started(queue, given)))
            seen = requests()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield over.set
    finally:
        over.set()
        killer.join()
        for _, process in running:
            process.kill()
            process.wait()


def _started(queue: str, given: Mapping[str, str]) -> subprocess.Popen[bytes]:
    command, where = [sys.executable, "-m", "workers.alone", queue], {**os.environ, **given}
    return subprocess.Popen(command, cwd=ROOT, env=where, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
