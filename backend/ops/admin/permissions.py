"""Who may use the operations pages."""

from __future__ import annotations

from django.http import HttpRequest

from backend.accounts.roles import Ability, may


def is_operator(request: HttpRequest) -> bool:
    """Looks and mends: whoever re-drives mail writes to visitors."""
    return may(request.user, Ability.OPERATE)
