"""The room of an online session: made in the step that confirms or moves it, closed in the one that ends that.

A provider that shares one link among all sessions has none, and costs no statement.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias

from backend.bookings import policy
from backend.bookings.guarantees import held_session
from backend.bookings.machine import State
from backend.bookings.models import Booking, Mode
from backend.core import batched_writes, compiled_writes
from backend.rooms import adapters
from backend.rooms.models import Room

Follow: TypeAlias = "tuple[int, Room | None]"  # a booking, and the room it has from now on


def follow(booking: Booking, source: State | str, *, now: datetime, is_moved: bool = False) -> None:
    """Make or close the room that this step calls for. Who was given a way into an earlier one meets nobody there."""
    if adapters.are_shared() or booking.mode != Mode.ONLINE:
        return
    is_confirmed = booking.state == State.CONFIRMED
    if is_confirmed and (is_moved or source != State.CONFIRMED):
        batched_writes.write(_follow, (booking.pk, planned(booking, now=now)))
    elif source == State.CONFIRMED and not is_confirmed:
        batched_writes.write(_follow, (booking.pk, None))


def planned(booking: Booking, *, now: datetime) -> Room:
    """The room of this session as it is now settled; not stored, and without a name."""
    session = held_session(booking)
    return Room(
        booking=booking,
        opens_at=session.start - policy.ROOM_OPENS_BEFORE,
        closes_at=session.end + policy.ROOM_CLOSES_AFTER,
        created_at=now,
    )


def room_of(booking: Booking, *, now: datetime) -> Room:
    """The room of a confirmed session, whose lock the caller holds; made now if that was confirmed at a shared link."""
    if adapters.are_shared():
        return planned(booking, now=now)
    if not Room.objects.filter(booking=booking).exists():
        _follow([(booking.pk, planned(booking, now=now))])
    return Room.objects.get(booking=booking)


def _follow(steps: Iterable[Follow]) -> None:
    """Of several steps of one booking the last one holds."""
    provider, last = adapters.rooms(), dict(steps)
    before = Room.objects.filter(booking__in=last)
    for room in before:
        provider.close(room)
    before.delete()
    made = [room for room in last.values() if room is not None]
    for room in made:
        provider.open(room)
    if made:
        compiled_writes.insert(made)
