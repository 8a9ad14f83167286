"""From the commit that owes a mail to the provider's answer, on an idle stack: seconds, one draft at a time."""

from __future__ import annotations

import time
from itertools import islice

from backend.outbox.models import Message, MessageState
from tests.bench import load
from tests.bench.figures import Figure, Goal
from tests.bench.rows.requests import drafts
from tests.bench.run import Run
from tests.support import api

MAILS, EVERY = 60, 0.37  # seconds: not in step with beat
GIVE_UP_AFTER = 10.0
HALF, ALMOST_ALL = Goal(0.6, 0.1, is_cost=True), Goal(1.2, 0.3, is_cost=True)


def measure(run: Run) -> list[Figure]:
    """The row says both instants: when it was written, and when it was settled, which is after the answer."""
    run.parts.sink.takes(0)
    run.parts.only("broker", "web", "mail", "beat")
    waits = sorted(_sent(run, body) for body in islice(drafts(api.DRAFT), run.many(MAILS)))
    return [
        Figure("from commit to hand-off: half of them within", [waits[len(waits) // 2]], "s", HALF),
        Figure("99 of 100 within", [waits[min(len(waits) - 1, round(0.99 * len(waits)))]], "s", ALMOST_ALL),
    ]


def _sent(run: Run, body: bytes) -> float:
    known = Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    load.send(run.url, iter([body]), 201, seconds=GIVE_UP_AFTER, clients=1)
    owed = Message.objects.filter(pk__gt=known, kind="draft_submitted")
    until = time.monotonic() + GIVE_UP_AFTER
    while not owed.filter(state=MessageState.DONE).exists():
        if time.monotonic() > until:
            raise RuntimeError("the mail did not leave")
        time.sleep(EVERY / 10)
    time.sleep(EVERY)
    created_at, settled_at = owed.values_list("created_at", "settled_at").get()
    return (settled_at - created_at).total_seconds()
