"""Checks of what only the database knows; run by `migrate` and by `check --database default`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register

from backend.payments.receipt_models import GUARDS


@register(Tags.database)
def receipts_are_guarded(*, databases: Sequence[str] | None = None, **_kwargs: Any) -> list[CheckMessage]:
    """The tables of receipts, once they exist, have their triggers."""
    return [
        Error(f"{guard.table} has no triggers.", hint="Run `manage.py migrate`; it installs them.", id="payments.E001")
        for alias in databases or []
        for guard in GUARDS
        if guard.is_there(alias) and guard.is_missing(alias)
    ]
