"""Django's `dumpdata` would write every text about people in the clear, past its encryption: here it writes nothing."""

from __future__ import annotations

from typing import Any, NoReturn

from django.core.management.base import CommandError
from django.core.management.commands import dumpdata


class Command(dumpdata.Command):
    help = "Refused: a copy of the database is `backup dump`, in which texts about people stay ciphertext."

    def handle(self, *_labels: Any, **_options: Any) -> NoReturn:
        raise CommandError("dumpdata would write texts about people in the clear. Use: manage.py backup dump FILE")
