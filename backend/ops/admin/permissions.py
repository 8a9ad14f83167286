"""Who may use the operations pages."""

from __future__ import annotations

from django.http import HttpRequest

from backend.accounts.roles import Ability, has_any_permission


def is_operator(request: HttpRequest) -> bool:
    """Looks and mends: whoever re-drives mail writes to visitors."""
    return has_any_permission(request.user, Ability.OPERATE)
