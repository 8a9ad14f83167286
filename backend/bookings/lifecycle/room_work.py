"""What a provider of rooms that is asked over a network is owed, and what becomes of a room that it has made.

A room that is not wanted any more keeps its row until it is taken away, so that whatever was made is found again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from backend.bookings import policy
from backend.core.errors import required
from backend.outbox import messages
from backend.outbox.models import Message, MessageState, Queue
from backend.rooms.models import Room
from backend.rooms.provider import Made, Plan


class RoomWork(StrEnum):
    """What the worker of calls is asked to do about a room, the message's subject."""

    MAKE = "room:make"
    UNMAKE = "room:unmake"


def enqueue_making(rooms: Sequence[Room]) -> None:
    """In the step that confirms or moves."""
    for room in rooms:
        _enqueue(RoomWork.MAKE, room, now=room.created_at)


def enqueue_unmaking(rooms: Sequence[tuple[Room, datetime]]) -> None:
    """In the step that moves, cancels or completes: with the instant of each."""
    for room, now in rooms:
        Room.objects.filter(pk=room.pk).update(closed_at=now)
        _enqueue(RoomWork.UNMAKE, room, now=now)


def plan_of(room: Room) -> Plan:
    """What the provider is told. The psychologist is read along, or costs a query."""
    starts_at, ends_at = room.opens_at + policy.ROOM_OPENS_BEFORE, room.closes_at - policy.ROOM_CLOSES_AFTER
    return Plan(room.name, required(room.psychologist, "psychologist", room).email, starts_at, ends_at)


def is_being_made(room: Room) -> bool:
    """Whether a worker may be about to make it: then it is not known yet what there is to take away."""
    owed = Message.objects.filter(kind=RoomWork.MAKE, subject_id=room.pk, queue=Queue.CALLS)
    return room.made_at is None and owed.filter(state=MessageState.WAITING).exists()


def note_made(room: Room, made: Made, *, now: datetime) -> None:
    """Its address is known. A room that closed meanwhile is taken away next, by what the provider calls it."""
    room.made_at, room.provider_id, room.address = now, made.provider_id, made.address
    room.save(update_fields=["made_at", "provider_id", "address"])


def note_unmade(room_id: int) -> None:
    """It is gone, and with it the row."""
    Room.objects.filter(pk=room_id).delete()


def _enqueue(kind: RoomWork, room: Room, *, now: datetime) -> None:
    messages.emit(
        queue=Queue.CALLS,
        kind=kind,
        dedupe_key=f"room:{room.name}:{kind}",
        now=now,
        booking_id=room.booking_id,
        subject_id=room.pk,
    )
