"""What ends the rows of each kind of data, a batch at a time; the timers and the command `purge` call the same."""

from __future__ import annotations

from datetime import datetime

from backend.bookings import retention
from backend.bookings.lifecycle import timers
from backend.bookings.lifecycle.sweeping import BatchFailed
from backend.bookings.retention import Kind
from backend.outbox import messages


def purge(kind: Kind, *, now: datetime) -> int:
    """A batch of what was kept long enough. Returns how many; 0: none is left."""
    if kind in (Kind.MAILS, Kind.ANSWERS):
        return messages.redact(retention.stale(kind, now=now), now=now)
    return _purge_drafts(now=now) if kind is Kind.DRAFTS else retention.delete(kind, now=now)


def purge_of_timer(name: str, *, now: datetime) -> int:
    """The same, of everything that this timer ends."""
    return sum(purge(kind, now=now) for kind in retention.stale_of_timer(name, now=now))


def _purge_drafts(*, now: datetime) -> int:
    """By the intent, which looks at each again under its lock. Raises what one raises that cannot be purged."""
    try:
        return len(timers.purge_draft.batch(now=now))
    except BatchFailed as failed:
        for booking_id in failed.booking_ids:
            timers.purge_draft(booking_id, now=now)
        return len(failed.booking_ids)
