"""Asks whether one process is at work, for a supervisor or a container's probe."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backend.core.commands import ReleasedCommand
from backend.ops import health
from backend.ops.formatting import format_age


class Command(ReleasedCommand):
    help = "Exit 0 if the process gave a sign of life within 30 s, else 1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="mail, payments, calls, timers, beat of this NODE_NAME, or a name: mail@host")

    def handle(self, *_args: Any, **options: Any) -> None:
        name = options["name"] if "@" in options["name"] else f"{options['name']}@{settings.NODE_NAME}"
        known = {process.name: process for process in health.processes(now=timezone.now())}
        process = known.get(name)
        if process is None:
            raise CommandError(
                f"{name} has given no sign of life within the hour. Known: {', '.join(known) or 'none'}."
            )
        if not process.is_alive:
            raise CommandError(f"{name} fell silent {format_age(process.age)} ago.")
        self.stdout.write(f"{name} is at work: its last sign of life is {format_age(process.age)} old.")
