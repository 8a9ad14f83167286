"""Dumps the database into a file, restores such a file into an empty database, or deletes old ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from backend.ops import backup


class Command(BaseCommand):
    help = (
        "`backup dump FILE.dump` while everything runs; `backup restore FILE` into an empty database, then `release`; "
        "`backup expire FOLDER` deletes its dumps that are older than BACKUPS_KEPT."
    )
    requires_system_checks = []  # an empty database would not pass them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=("dump", "restore", "expire"))
        parser.add_argument("path", type=Path)

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            done = getattr(self, f"_{options['verb']}")(options["path"])
        except backup.BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"backup: {done}")

    def _dump(self, path: Path) -> str:
        backup.dump(path)
        return f"dumped into {path}, {path.stat().st_size:,} bytes"

    def _restore(self, path: Path) -> str:
        backup.restore(path)
        return f"restored from {path}"

    def _expire(self, folder: Path) -> str:
        return f"deleted {', '.join(backup.expire(folder, now=timezone.now())) or 'none'}"
