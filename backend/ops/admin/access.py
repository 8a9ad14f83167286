"""Who may see and use the operations pages."""

from __future__ import annotations

from django.db import models
from django.http import HttpRequest

from backend.admin_pages import ReadOnly

ACTOR_LONGEST = 80  # characters an act has for its actor; a user name may be longer


class SuperusersOnly(ReadOnly):
    """Rows that superusers see and nobody edits: whoever re-drives mail writes to visitors."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_operator(request)

    def has_view_permission(self, request: HttpRequest, _obj: models.Model | None = None) -> bool:
        return is_operator(request)


def is_operator(request: HttpRequest) -> bool:
    """An active superuser."""
    return bool(request.user.is_active and request.user.is_superuser)


def actor(request: HttpRequest) -> str:
    """As acts name who did it."""
    return f"staff:{request.user.get_username()}"[:ACTOR_LONGEST]
