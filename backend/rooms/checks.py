"""What is legal, but not for people who are to meet one person alone; whatever starts with checks says it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from backend.rooms import adapters

SHARED = "ROOMS=static: all clients of a psychologist are given the same meeting link, and who stays on meets the next."
ADVICE = "Set ROOMS=jitsi, with JITSI_URL, JITSI_APP_ID and JITSI_SECRET, or ROOMS=zoom, with the keys of its app."


@register
def rooms_are_private(**_kwargs: Any) -> list[CheckMessage]:
    """Silent with DEBUG, where nobody is met."""
    is_told = adapters.are_shared() and not settings.DEBUG
    return [Warning(SHARED, hint=ADVICE, id="rooms.W001")] if is_told else []
