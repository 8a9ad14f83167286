"""Which steps of the ledger are events for subscribers: by what is done, and by the state that it leads to."""

from __future__ import annotations

from datetime import datetime

from backend.bookings.intents import Intent
from backend.bookings.machine import State
from backend.bookings.models import LedgerEntry
from backend.webhooks import owing
from backend.webhooks.events import EventType
from backend.webhooks.owing import Event

OF_INTENTS = {
    Intent.RECORD_CAPTURE: EventType.PAYMENT_RECEIVED,
    Intent.RECORD_DESK_PAYMENT: EventType.PAYMENT_RECEIVED,
    Intent.RECORD_LATE_CAPTURE: EventType.PAYMENT_RECEIVED,
    Intent.RECORD_UNEXPECTED_CAPTURE: EventType.PAYMENT_RECEIVED,
    Intent.VOID_DESK_PAYMENT: EventType.PAYMENT_VOIDED,
    Intent.RESCHEDULE: EventType.MOVED,
    Intent.OFFER_CHOICE: EventType.CHOICE_OFFERED,
    Intent.RECORD_OUTCOME: EventType.OUTCOME,
    Intent.GRANT_REFUND: EventType.REFUND_GRANTED,
    Intent.REFUND_MADE: EventType.REFUND_MADE,
    Intent.REFUND_REFUSED: EventType.REFUND_REFUSED,
}
OF_STATES = {
    State.PENDING: EventType.REQUESTED,
    State.APPROVED: EventType.APPROVED,
    State.CONFIRMED: EventType.CONFIRMED,
    State.REJECTED: EventType.REJECTED,
    State.CANCELLED: EventType.CANCELLED,
    State.COMPLETED: EventType.COMPLETED,
    State.PAYMENT_FAILED: EventType.NOT_PAID,
}
# Back to waiting for payment, which is no news: no money came, or what was recorded is void
_WAITED_BEFORE = (State.PAYMENT_PENDING, State.CONFIRMED)


def announce(row: LedgerEntry, *, held_until: datetime | None) -> None:
    """Owe the events of a row that is written in this transaction; while it can be undone they wait."""
    types = events_of(Intent(row.intent), row.source, State(row.target))
    if types:
        due = max(row.at, held_until or row.at)
        owing.tell(Event(types, row.booking_id, row.sequence, row.at, due))


def events_of(intent: Intent, source: str, target: State) -> list[EventType]:
    """Money before what it brought about.

    A draft is nobody's business until it is proved. What is undone was told to nobody: its events were held, and are
    withdrawn with everything else that the decision owed.
    """
    if intent is Intent.UNDO_DECISION:
        return []
    found = [OF_INTENTS[intent]] if intent in OF_INTENTS else []
    if source != target and not _is_quiet(source, target):
        found += [OF_STATES[target]] if target in OF_STATES else []
    return found


def _is_quiet(source: str, target: State) -> bool:
    lapses = source == State.DRAFT and target == State.CANCELLED
    return lapses or (target == State.APPROVED and source in _WAITED_BEFORE)
