"""Effects that wait while the decision that owes them can still be undone: released early, or withdrawn unsent."""

from __future__ import annotations

from datetime import datetime

from django.db.models import F, QuerySet

from backend.outbox.models import Message, MessageState


def release(booking_id: int, *, held_until: datetime, now: datetime) -> None:
    """What waits for the end of this hold is due now, in the order in which it was owed."""
    waiting = Message.objects.filter(booking_id=booking_id, state=MessageState.WAITING)
    waiting.filter(not_before=held_until).update(not_before=now)
    waiting.filter(next_attempt_at=held_until).update(next_attempt_at=now)


def withdraw(owed: QuerySet[Message], *, now: datetime) -> bool:
    """Settle these unsent. False: one of them has been begun, so the caller rolls back.

    Of this and a worker's first attempt, both one conditional UPDATE of the row, only one finds it unbegun.
    """
    unbegun = owed.filter(state=MessageState.WAITING, attempts=0)
    settled = unbegun.update(
        state=MessageState.OBSOLETE, settled_at=now, lease_expires_at=None, fence=F("fence") + 1, last_error="undone"
    )
    return settled == owed.count()
