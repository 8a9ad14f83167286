"""What a provider of rooms does for us."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from backend.rooms.models import Room


class Person(StrEnum):
    """Who enters: whoever gives the session leads the room. A provider learns no more of anybody."""

    GUEST = "guest"
    HOST = "host"


class Rooms(Protocol):
    """A provider that is asked over a network does that in a worker; these two calls stand in the booking's step."""

    is_shared: bool  # all sessions of a psychologist meet at one address, so no room is made

    def open(self, room: Room) -> None:
        """Give a room that is about to be stored its name, one that was never used."""

    def link(self, room: Room, person: Person, *, now: datetime) -> str:
        """The address that lets this person in, made anew each time that it is asked for. The caller knows the hour."""

    def close(self, room: Room) -> None:
        """Nobody is to enter any more; the row goes with it."""
