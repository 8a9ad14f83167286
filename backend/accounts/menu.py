"""What the menu asks: its links name permissions that must all be held, and some need one of several."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend

from backend.accounts.roles import SEES_SOME_BOOKINGS, Asker, has_any_permission

SOME_BOOKINGS = "desk.see_some_bookings"  # as config/settings/desk.py has it


class MenuPermissions(BaseBackend):
    """Logs nobody in; it only answers for permissions that stand for several."""

    def has_perm(self, user_obj: Asker, perm: str, obj: Any = None) -> bool:  # noqa: ARG002  # Django's own signature
        return perm == SOME_BOOKINGS and has_any_permission(user_obj, *SEES_SOME_BOOKINGS)
