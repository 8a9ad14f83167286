"""Events become rows of the outbox, one for each subscription that wants them, in the transaction of what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from backend.core import batched_writes
from backend.core.compiled_queries import compiled
from backend.core.statements import Statement
from backend.outbox import messages
from backend.outbox.models import GIVEN_UP, MessageState, Queue
from backend.outbox.patience import WEBHOOK
from backend.webhooks import subscriptions
from backend.webhooks.events import EventType
from backend.webhooks.models import Subscription

PREFIX = f"{WEBHOOK}:"  # what the kind of such a row begins with


@dataclass(frozen=True)
class Event:
    """What happened to a booking, by the step of its ledger. `not_before`: while the step can be undone it waits."""

    types: Sequence[EventType]
    booking_id: int
    sequence: int
    at: datetime
    not_before: datetime


def tell(event: Event) -> None:
    """Owe it to whoever wants it."""
    batched_writes.write(_owe, event)


def send_again(message_id: int, *, now: datetime) -> bool:
    """One that was delivered or given up leaves once more, under its id. False: it is owed already, or too old."""
    return messages.redrive(message_id, now=now, settled=(MessageState.DONE, *GIVEN_UP))


def type_of(kind: str) -> EventType:
    """Of a row of the outbox. Raises ValueError for any other kind."""
    return EventType(kind.removeprefix(PREFIX))


def _owe(events: list[Event]) -> list[Statement[Any]]:
    """Their messages join the batch, so nothing is left to be stored for the events."""
    wanted = _wanted.rows()
    with batched_writes.batch():
        for event in events:
            for subscription, types in wanted:
                for type_ in event.types:
                    if type_ in types:
                        _owe_one(event, type_, subscription)
    return []


def _owe_one(event: Event, type_: EventType, subscription: int) -> None:
    messages.emit(
        queue=Queue.CALLS,
        kind=f"{WEBHOOK}:{type_}",
        dedupe_key=f"{WEBHOOK}:{subscription}:{event.booking_id}:{event.sequence}:{type_}",
        now=event.at,
        not_before=event.not_before,
        recipient=f"{WEBHOOK}:{subscription}",  # keeps the order of a booking's events for this subscription
        booking_id=event.booking_id,
        subject_id=subscription,
        ledger_sequence=event.sequence,
    )


@compiled
def _wanted() -> QuerySet[Subscription, Any]:
    return subscriptions.live().order_by().values_list("pk", "events")
