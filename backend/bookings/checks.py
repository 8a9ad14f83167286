"""Checks of what only the database knows; run by `migrate` and by `check --database default`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from backend.bookings import ledger_triggers


@register(Tags.database)
def ledger_is_guarded(*, databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """The ledger's table, once it exists, has its triggers."""
    return [
        Error("The ledger has no triggers.", hint="Run `manage.py migrate`; it installs them.", id="bookings.E001")
        for alias in databases or []
        if ledger_triggers.TABLE in connections[alias].introspection.table_names()
        and ledger_triggers.triggers_missing(alias)
    ]
