"""Which provider of rooms is configured."""

from __future__ import annotations

from django.conf import settings

from backend.rooms.provider import Rooms
from backend.rooms.static import StaticLink


def rooms() -> Rooms:
    """The provider of all sessions."""
    if settings.ROOMS == "jitsi":
        from backend.rooms.jitsi import Account, JitsiRooms  # brings PyJWT, which few processes need

        account = Account(settings.JITSI_URL, settings.JITSI_APP_ID, settings.JITSI_SECRET, settings.JITSI_KEY_ID)
        return JitsiRooms(account)
    return StaticLink()


def are_shared() -> bool:
    """Whether all clients of a psychologist are given the same address; without PyJWT being loaded."""
    return bool(settings.ROOMS == "static")
