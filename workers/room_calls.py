"""Calls of the provider of rooms: a room is made, or taken away. Each may be repeated."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from backend.bookings.lifecycle import room_work
from backend.bookings.lifecycle.room_work import RoomWork
from backend.core.errors import Permanent, required
from backend.outbox.attempts import Snooze
from backend.outbox.models import Message, MessageState
from backend.rooms import adapters
from backend.rooms.models import Room
from backend.rooms.provider import AskedRooms
from workers.outcomes import Answer

LOOKS_AGAIN = timedelta(seconds=5)


def perform(message: Message) -> Answer:
    """Raises Transient or Permanent."""
    room = (
        Room.objects.select_related("psychologist")
        .filter(pk=required(message.subject_id, "subject_id", message))
        .first()
    )
    if room is None:
        return MessageState.OBSOLETE
    return _make(room) if RoomWork(message.kind) is RoomWork.MAKE else _unmake(room)


def _make(room: Room) -> Answer:
    """Not one that was closed meanwhile: what an earlier attempt may have made, the taking away finds by its name."""
    if room.made_at is not None or room.closed_at is not None:
        return MessageState.OBSOLETE
    made = _provider().make(room_work.plan_of(room))
    room_work.note_made(room, made, now=timezone.now())
    return MessageState.DONE


def _unmake(room: Room) -> Answer:
    if room_work.is_being_made(room):
        return Snooze(timezone.now() + LOOKS_AGAIN)
    _provider().unmake(room_work.plan_of(room), room.provider_id)
    room_work.note_unmade(room.pk)
    return MessageState.DONE


def _provider() -> AskedRooms:
    """Raises Permanent where another one was configured since: what it holds must be taken away there by hand."""
    provider = adapters.rooms()
    if not isinstance(provider, AskedRooms):
        raise Permanent("ROOMS names no provider that is asked")
    return provider
