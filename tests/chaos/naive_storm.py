"""The same storm over the naive design: figures by the same names, to stand beside ours."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import replace

import psycopg

from tests.chaos import measures
from tests.chaos.checker import is_accepted
from tests.chaos.fault_injector import FaultInjector
from tests.chaos.faults import Fault
from tests.chaos.figures import Figure, spread
from tests.chaos.journal import Journal
from tests.chaos.stack import Stack, lines
from tests.chaos.traffic import CROWD, Caller, GaveUp

QUEUE = "celery"  # Celery's own name for the only one
CALM = 60.0  # seconds after the last fault
PAUSE = 0.9  # seconds between two effects of one of the crowd, so that there are about as many as of ours


def add_naive_service(stack: Stack) -> None:
    """Web and two workers; it has no beat."""
    broker = {"NAIVE_BROKER": f"redis+socket://{stack.folder / 'valkey.sock'}"}
    web = ["-m", "granian", "--interface", "wsgi", "tests.chaos.naive:application", "--host", "127.0.0.1"]
    web += ["--port", stack.environment["PORT"], "--workers", "2", "--blocking-threads", "8", "--no-ws"]
    stack.add("web", "python", *web, "--respawn-failed-workers", **broker)
    for number in (1, 2):
        worker = ["-m", "celery", "-A", "tests.chaos.naive:app", "worker", "-l", "WARNING", "--concurrency", "2"]
        stack.add(f"worker-mail-{number}", "python", *worker, "-n", f"naive{number}@%h", **broker)


def create_table(stack: Stack) -> None:
    with psycopg.connect(stack.environment["DATABASE_URL"]) as database:
        database.execute(
            "CREATE TABLE naive_effect (id bigserial PRIMARY KEY, recipient text NOT NULL,"
            " is_done boolean NOT NULL DEFAULT false, created_at timestamptz NOT NULL DEFAULT clock_timestamp())"
        )


def ride(stack: Stack, faults: list[Fault], seconds: float) -> list[Figure]:
    """The same faults over the same kind of traffic; figures by the same names."""
    journal, is_over = Journal(), threading.Event()
    crowd = [threading.Thread(target=_ask, args=(stack, journal, n, is_over), daemon=True) for n in range(CROWD)]
    for one in crowd:
        one.start()
    began = time.monotonic()
    FaultInjector(stack, journal).blow([replace(fault, queue=fault.queue and QUEUE) for fault in faults])
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    is_over.set()
    for one in crowd:
        one.join()
    time.sleep(CALM)
    return _judge(stack, journal)


def _ask(stack: Stack, journal: Journal, number: int, is_over: threading.Event) -> None:
    caller = Caller(stack.url, journal)
    while not is_over.wait(PAUSE):
        try:
            answer = caller.post("/effects/", {"email": f"n{number}@example.org"})
            journal.promise(str(answer.json()["id"]))
        except GaveUp:
            continue


def _judge(stack: Stack, journal: Journal) -> list[Figure]:
    with psycopg.connect(stack.environment["DATABASE_URL"]) as database:
        rows = database.execute("SELECT id, extract(epoch FROM created_at)::float FROM naive_effect").fetchall()
    accepted = [call for call in lines(stack.mail_log) if is_accepted(call)]
    first: dict[str, float] = {}
    for call in accepted:
        first.setdefault(call["key"], call["at"])
    lost = [pk for pk in journal.promised if f"naive-{pk}" not in first]
    beyond = sum(times - 1 for times in Counter(call["key"] for call in accepted).values())
    share = f"{len(lost)} of {len(journal.promised)} ({100 * len(lost) / max(1, len(journal.promised)):.1f} %)"
    return [
        Figure("faults injected", str(len(journal.faults))),
        Figure("mails accepted", str(len(accepted))),
        Figure("effects lost", share),
        Figure("accepted calls beyond one a key", str(beyond)),
        *measures.requests_in_storm(journal),
        spread(
            "a mail's wait p50 / p99 / max", [first[f"naive-{pk}"] - at for pk, at in rows if f"naive-{pk}" in first]
        ),
    ]
