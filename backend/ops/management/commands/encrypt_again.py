"""Encrypts every stored text with the newest FIELD_KEY, so that an older one can be taken away."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from backend.core.encryption import Unreadable, encrypted_columns


class Command(BaseCommand):
    help = "After a new FIELD_KEY came first: write every encrypted text anew. Safe beside a running stack, and twice."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """One short transaction a row, under its lock: a purge in the same moment wins or comes after."""
        for model, name in encrypted_columns():
            written = unreadable = 0
            for pk in list(model._base_manager.exclude(**{name: ""}).values_list("pk", flat=True)):
                with transaction.atomic():
                    row = model._base_manager.filter(pk=pk)
                    text = row.select_for_update().values_list(name, flat=True).first()
                    if isinstance(text, Unreadable):
                        unreadable += 1
                    elif text:
                        written += row.update(**{name: text})
            self.stdout.write(f"encrypt_again: {model._meta.label}.{name}, {written} rows")
            if unreadable:
                self.stderr.write(f"encrypt_again: {unreadable} more cannot be read; keep the keys they may need")
