"""Dumps the database into a file, or restores such a file into an empty database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backend.ops import backup


class Command(BaseCommand):
    help = "`backup dump FILE` while everything runs; `backup restore FILE` into an empty database, then `release`."
    requires_system_checks = []  # an empty database would not pass them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=("dump", "restore"))
        parser.add_argument("file", type=Path)

    def handle(self, *_args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            (backup.dump if options["verb"] == "dump" else backup.restore)(path)
        except backup.BackupError as error:
            raise CommandError(str(error)) from error
        size = path.stat().st_size
        done = f"dumped into {path}, {size:,} bytes" if options["verb"] == "dump" else f"restored from {path}"
        self.stdout.write(f"backup: {done}")
