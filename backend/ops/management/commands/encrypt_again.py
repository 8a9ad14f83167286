"""Encrypts every stored text with the newest FIELD_KEY, so that an older one can be taken away."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from backend.core.commands import ReleasedCommand
from backend.core.encryption import EncryptedTextField, Unreadable, encrypted_columns
from backend.core.sealing import newest_prefix


class Command(ReleasedCommand):
    help = (
        "After a new FIELD_KEY came first: write every encrypted text anew. Safe beside a running stack, and twice; "
        "stopped, it goes on with what an older key sealed."
    )

    def handle(self, *_args: Any, **_options: Any) -> None:
        """One short transaction a row, under its lock: a purge in the same moment wins or comes after."""
        for model, field in encrypted_columns():
            results = [_written(field, pk) for pk in _of_older_keys(field)]
            self.stdout.write(f"encrypt_again: {model._meta.label}.{field.name}, {results.count(True)} rows")
            if unreadable := results.count(False):
                self.stderr.write(f"encrypt_again: {unreadable} more cannot be read; keep the keys they may need")


def _of_older_keys(field: EncryptedTextField) -> list[int]:
    return list(field.rows().exclude(stored__startswith=newest_prefix()).order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _written(field: EncryptedTextField, pk: int) -> bool | None:
    """Whether it could be read; None for a text that is gone."""
    row = field.rows().filter(pk=pk).select_for_update().first()
    if row is None:
        return None
    text = getattr(row, field.name)
    if isinstance(text, Unreadable):
        return False
    return bool(field.model._base_manager.filter(pk=pk).update(**{field.name: field.sealed(row, text)}))
