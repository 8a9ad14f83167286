"""Checks of what only the database knows; run by `migrate` and by `check --database default`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register

from backend.audit.guard import GUARD


@register(Tags.database)
def access_log_is_guarded(*, databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """The table of the access log, once it exists, has its triggers."""
    return [
        Error("The access log has no triggers.", hint="Run `manage.py migrate`; it installs them.", id="audit.E001")
        for alias in databases or []
        if GUARD.is_there(alias) and GUARD.is_missing(alias)
    ]
