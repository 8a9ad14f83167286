"""The room of an online session: made in the step that confirms or moves it, closed in the one that ends that.

A provider that shares one link among all sessions has none, and costs no statement. One that is asked over a network is
owed what the step made true: `room_work`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias

from backend.bookings import policy
from backend.bookings.guarantees import held_session
from backend.bookings.lifecycle import room_work
from backend.bookings.machine import State
from backend.bookings.models import Booking, Mode
from backend.core import batched_writes, compiled_writes
from backend.rooms import adapters
from backend.rooms.models import Room

Follow: TypeAlias = "tuple[int, tuple[Room | None, datetime]]"  # a booking, and the room that it has from then on


def follow(booking: Booking, source: State | str, *, now: datetime, is_moved: bool = False) -> None:
    """Make or close the room that this step calls for. Who was given a way into an earlier one meets nobody there."""
    if adapters.are_shared() or booking.mode != Mode.ONLINE:
        return
    is_confirmed = booking.state == State.CONFIRMED
    if is_confirmed and (is_moved or source != State.CONFIRMED):
        batched_writes.do(_follow, (booking.pk, (planned(booking, now=now), now)))
    elif source == State.CONFIRMED and not is_confirmed:
        batched_writes.do(_follow, (booking.pk, (None, now)))


def planned(booking: Booking, *, now: datetime) -> Room:
    """The room of this session as it is now settled; not stored."""
    session = held_session(booking)
    return Room(
        booking=booking,
        psychologist_id=session.psychologist_id,
        opens_at=session.start - policy.ROOM_OPENS_BEFORE,
        closes_at=session.end + policy.ROOM_CLOSES_AFTER,
        created_at=now,
    )


def room_of(booking: Booking, *, now: datetime) -> Room:
    """The room of a confirmed session, whose lock the caller holds; made now if that was confirmed at a shared link."""
    if adapters.are_shared():
        return planned(booking, now=now)
    if not Room.objects.filter(booking=booking, closed_at=None).exists():
        _follow([(booking.pk, (planned(booking, now=now), now))])
    return Room.objects.get(booking=booking, closed_at=None)


def _follow(steps: Iterable[Follow]) -> None:
    """Of several steps of one booking the last one holds."""
    last = dict(steps)
    before = Room.objects.filter(booking__in=last, closed_at=None)
    if adapters.are_asked():
        room_work.enqueue_unmaking([(room, last[room.booking_id][1]) for room in before])
    else:
        before.delete()
    made = [room for room, _ in last.values() if room is not None]
    if made:
        compiled_writes.insert(made)
        if adapters.are_asked():
            room_work.enqueue_making(made)
