"""Who may use the operations pages, and as whom."""

from __future__ import annotations

from django.http import HttpRequest

from backend.accounts.roles import Ability, may

ACTOR_LONGEST = 80  # characters an act has for its actor; a user name may be longer


def is_operator(request: HttpRequest) -> bool:
    """Looks and mends: whoever re-drives mail writes to visitors."""
    return may(request.user, Ability.OPERATE)


def actor(request: HttpRequest) -> str:
    """As acts name who did it."""
    return f"staff:{request.user.get_username()}"[:ACTOR_LONGEST]
