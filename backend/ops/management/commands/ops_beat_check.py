"""Asks whether beat ticks, for a supervisor or a container's probe."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from backend.core.commands import ReleasedCommand
from backend.ops import health
from backend.ops.formatting import format_age
from backend.ops.models import ProcessRole


class Command(ReleasedCommand):
    help = "Exit 0 if any beat ticked within 30 s, else 1."

    def handle(self, *_args: Any, **_options: Any) -> None:
        beats = [process for process in health.processes(now=timezone.now()) if process.role == ProcessRole.BEAT]
        if not beats:
            raise CommandError("No beat has ticked within the hour.")
        last = min(beats, key=lambda process: process.age)
        if not last.is_alive:
            raise CommandError(f"Beat fell silent {format_age(last.age)} ago.")
        self.stdout.write(f"{last.name} ticks: its last sign of life is {format_age(last.age)} old.")
