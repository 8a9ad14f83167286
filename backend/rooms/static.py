"""The last resort: the psychologist's own link, the same for all of their clients. Who stays on meets the next."""

from __future__ import annotations

from datetime import datetime

from backend.rooms.models import Room
from backend.rooms.provider import Person


class StaticLink:
    """Makes no rooms."""

    is_shared = True

    def link(self, room: Room, _person: Person, *, now: datetime) -> str:  # noqa: ARG002  # as every provider's
        """What the booking was given; whoever has it can use it for ever."""
        return str(room.booking.meeting_link)
