"""The calls queue: what goes to the servers of others over HTTP. An effect is one call, and ends within seconds.

Another kind of call is a function here: of a message, answering DONE, OBSOLETE or a snooze, raising Transient or
Permanent. Its first part stands in `_PERFORMERS`; whoever owes it writes `kind="that:of what"` in the transaction that
makes it true, with a `recipient` if calls about one booking are to keep their order. How long it is tried stands in
`backend/outbox/patience.py`; a call to an address that others gave us goes by `backend/core/outgoing/guarded_call.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from backend.outbox import patience
from backend.outbox.models import Message, Queue
from workers import room_calls, texts, webhooks
from workers.app import app
from workers.drain import drain as drain_queue
from workers.outcomes import Answer


@app.task(name="workers.calls.drain")
def drain() -> None:
    """Do what is due."""
    drain_queue(Queue.CALLS, perform, helper=drain, look_ahead=look_ahead)


def look_ahead(rows: Sequence[Message]) -> Mapping[int, Answer]:
    """What needs no attempt."""
    return {**webhooks.look_ahead(rows), **texts.look_ahead(rows)}


def perform(message: Message) -> Answer:
    """One call. Raises Transient or Permanent; KeyError for a kind that this release does not know."""
    return _PERFORMERS[patience.whose(message.kind)](message)


_PERFORMERS: dict[str, Callable[[Message], Answer]] = {
    "room": room_calls.perform,
    patience.TEXT: texts.perform,
    patience.WEBHOOK: webhooks.deliver,
}
