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
    if settings.ROOMS == "zoom":
        from backend.rooms import zoom  # brings `requests`, likewise

        ids = (settings.ZOOM_ACCOUNT_ID, settings.ZOOM_CLIENT_ID, settings.ZOOM_CLIENT_SECRET)
        return zoom.ZoomRooms(zoom.Account(*ids, settings.ZOOM_URL, settings.ZOOM_LOGIN_URL))
    return StaticLink()


def are_shared() -> bool:
    """Whether all clients of a psychologist are given the same address; without PyJWT being loaded."""
    return bool(settings.ROOMS == "static")


def are_asked() -> bool:
    """Whether a room is made by a worker, who asks its provider over a network."""
    return bool(settings.ROOMS == "zoom")
