"""When an account's password changed, for all that must end with it."""

from __future__ import annotations

from django.contrib.auth.models import User

from backend.accounts import sessions


def has_changed(account: User, update_fields: frozenset[str] | None) -> bool:
    """Whether an account that was just stored has another password now, or none any more.

    `_password` holds what `set_password` was given until the account is stored; a log-in that only stores the same
    password under a newer hash empties it before: django/contrib/auth/base_user.py.
    """
    was_set = getattr(account, "_password", None) is not None or not account.has_usable_password()
    return was_set and (update_fields is None or "password" in update_fields)


def end_sessions_on_change(
    instance: User, update_fields: frozenset[str] | None = None, created: bool = False, **_signal: object
) -> None:
    """After the account was stored. A page that changes its own account's password takes a new session afterwards."""
    if not created and has_changed(instance, update_fields):
        sessions.end_all(instance)
