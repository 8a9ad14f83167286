"""Encrypts every stored text with the newest FIELD_KEY, so that an older one can be taken away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import models, transaction

from backend.core.encryption import EncryptedTextField


class Command(BaseCommand):
    help = "After a new FIELD_KEY came first: write every encrypted text anew. Safe beside a running stack, and twice."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """One short transaction a row, under its lock: a purge in the same moment wins or comes after."""
        for model, name in _columns():
            written = 0
            for pk in list(model._base_manager.exclude(**{name: ""}).values_list("pk", flat=True)):
                with transaction.atomic():
                    row = model._base_manager.filter(pk=pk)
                    text = row.select_for_update().values_list(name, flat=True).first()
                    written += row.update(**{name: text}) if text else 0
            self.stdout.write(f"encrypt_again: {model._meta.label}.{name}, {written} rows")


def _columns() -> Iterator[tuple[type[models.Model], str]]:
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedTextField):
                yield model, field.name
