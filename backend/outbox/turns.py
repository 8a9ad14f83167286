"""Where a look for due messages begins: at the oldest that waits, and not at the oldest there ever was.

The index of what waits keeps an entry of each settled message for as long as any transaction may see it as it was, so
beside a dump of a quarter of an hour a claim would pass hundreds of thousands of them. What a process remembers here
saves it that, and decides nothing: a message that is older after all is found by the next look at all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from backend.core.compiled_queries import Given, compiled
from backend.outbox.models import Message, MessageState, Queue

# A turn is given by the clock of who owes it, and seen once that transaction commits: that may be silent for 10 s, and
# clocks differ by 5 s. All that was settled within it is passed beside a dump, so no more than that
MARGIN = timedelta(seconds=15)
LOOK_EVERY = timedelta(seconds=10)
ALL_EVERY = timedelta(minutes=1)  # the longest that one which committed later than MARGIN stays unseen
EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Look:
    oldest: datetime
    looked_at: datetime
    looked_at_all: datetime


_last: dict[Queue, _Look] = {}  # of this process


def beginning(queue: Queue, *, now: datetime) -> datetime:
    """No message of `queue` that waits has an older turn, as far as this process saw within ALL_EVERY."""
    last = _last.get(queue)
    if last is None or not timedelta(0) <= now - last.looked_at_all < ALL_EVERY:  # before it: the clock was set back
        last = _last[queue] = _Look(_oldest(queue, EVER, now), now, now)
    elif not timedelta(0) <= now - last.looked_at < LOOK_EVERY:
        last = _last[queue] = _Look(_oldest(queue, last.oldest, now), now, last.looked_at_all)
    return last.oldest


def _oldest(queue: Queue, since: datetime, now: datetime) -> datetime:
    """The turn of the oldest, whoever holds it; where none is that old, one that none to come should precede."""
    found = _waiting.first(queue=queue, since=since)
    turns: list[datetime] = [now - MARGIN, *(found or ())]
    return min(turns)


@compiled
def _waiting() -> QuerySet[Message, Any]:
    rows = Message.objects.filter(queue=Given("queue"), state=MessageState.WAITING)
    since = rows.filter(next_attempt_at__gte=Given("since"))
    return since.order_by("next_attempt_at").values_list("next_attempt_at")[:1]


def forget() -> None:
    """As a process that has just begun."""
    _last.clear()
