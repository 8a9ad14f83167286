"""A transaction that stays open, as a dump does, beside a queue that works: a claim before, under and after.

PostgreSQL may then remove no row that was changed, and whoever looks for due messages passes what is left of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median, quantiles

import psycopg
from django.db import transaction
from django.utils import timezone

from backend.outbox import attempts, messages
from backend.outbox.models import Message, MessageState, Queue
from tests.bench.figures import Figure, Goal, ratio
from tests.bench.meters import took_ms
from tests.bench.run import Run

A_SECOND, BATCH = 200, 50  # mails
CALM, AFTER = 60.0, 120.0  # seconds
CLAIM, RECOVERED = Goal(2, 1.2, is_cost=True), Goal(60, 15, is_cost=True)
WELL = 1.5  # times the calm median: recovered
WINDOW = 20  # claims, five seconds of them


def measure(run: Run) -> list[Figure]:
    """Calm, then the snapshot, then until claims are what they were."""
    if run.service:
        run.service.only()
    work(run.many(round(CALM / 3)))  # so that the table is no new one
    calm = work(run.many(round(CALM)))
    with snapshot():
        held = work(run.many(round(run.held_minutes * 60)))
    after = work(run.many(round(AFTER)))
    return [
        ratio("claim's p99 under a held snapshot to calm", [p99(held)], [p99(calm)], CLAIM),
        ratio("the same of its last minute", [p99(held[-240:])], [p99(calm)], CLAIM),
        Figure("recovered after", [_recovered(after, calm)], "s", RECOVERED),
        Figure("held for", [len(held) * BATCH / A_SECOND / 60], "min"),
        Figure("claim, calm: p99", [p99(calm)], "ms"),
        Figure("claim, calm: median", [median(calm)], "ms"),
        Figure("claim, under it: median", [median(held)], "ms"),
        Figure("claim, under it: p99", [p99(held)], "ms"),
        Figure("claim, under it: the longest", [max(held)], "ms"),  # once a minute one looks at all that were settled
    ]


def work(seconds: int) -> list[float]:
    """Milliseconds of each claim, while 200 messages a second are owed, claimed, begun and settled."""
    found = []
    every, began = BATCH / A_SECOND, time.monotonic()
    for turn in range(round(seconds / every)):
        found.append(_batch())
        time.sleep(max(0.0, began + (turn + 1) * every - time.monotonic()))
    return found


def _batch() -> float:
    now = timezone.now()
    with transaction.atomic():
        for number in range(BATCH):
            key = f"bench:{time.monotonic_ns()}:{number}"
            messages.emit(queue=Queue.MAIL, kind="nothing_open", dedupe_key=key, recipient="a@bench.example", now=now)
    rows: list[Message] = []
    took = took_ms(lambda: rows.extend(messages.claim(Queue.MAIL, now=timezone.now())))
    for row in rows:  # as the worker: one mail's end and the next one's beginning are one statement
        attempts.write([attempts.begin(row, now=timezone.now())])
    ends = [attempts.settle(row, MessageState.DONE, now=timezone.now()) for row in rows]
    attempts.write(ends)
    return took


@contextmanager
def snapshot() -> Iterator[None]:
    """What `pg_dump` holds."""
    from django.db import connection

    with psycopg.connect(**_parameters(connection.get_connection_params)) as dump:
        dump.execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        dump.commit()
        dump.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        dump.execute("SELECT count(*) FROM outbox_message")
        yield


def _parameters(asked: Callable[[], dict[str, object]]) -> dict[str, str]:
    given = asked()
    return {name: str(given[name]) for name in ("dbname", "user", "host") if given.get(name)}


def p99(found: list[float]) -> float:
    return quantiles(found, n=100)[98]


def _recovered(after: list[float], calm: list[float]) -> float:
    """Seconds until a window's median is what it was; the whole time if it never is."""
    for begin in range(len(after) - WINDOW + 1):
        if median(after[begin : begin + WINDOW]) <= WELL * median(calm):
            return begin * BATCH / A_SECOND
    return len(after) * BATCH / A_SECOND
