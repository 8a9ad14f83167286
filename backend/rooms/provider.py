"""What a provider of rooms does for us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from backend.rooms.models import Room


class Person(StrEnum):
    """Who enters: whoever gives the session leads the room. A provider learns no more of anybody."""

    GUEST = "guest"
    HOST = "host"


class Rooms(Protocol):
    """Each session's room has a row of ours with a name that was never used before."""

    is_shared: bool  # all sessions of a psychologist meet at one address, so no room is made

    def link(self, room: Room, person: Person, *, now: datetime) -> str:
        """The address that lets this person in, made anew each time that it is asked for. The caller knows the hour."""


@dataclass(frozen=True)
class Plan:
    """A room to be made: its name, the account of whoever gives the session, and the session's time."""

    name: str
    host: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Made:
    """What a provider calls the room, and the address at which it is entered."""

    provider_id: str
    address: str


@runtime_checkable
class AskedRooms(Rooms, Protocol):
    """A provider that is asked over a network, by a worker. Each call may be repeated; each raises OutsideFailure."""

    def make(self, plan: Plan) -> Made:
        """The room of this name, made if there is none yet."""

    def unmake(self, plan: Plan, provider_id: str) -> None:
        """Whoever is in it is put out, and it is gone; `provider_id` is "" where nobody knows whether it was made."""
