"""Says how many rows of each kind of data were kept long enough, and ends them, as the timers do."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from backend.bookings import retention
from backend.bookings.retention import RULES, Kind
from backend.core.commands import ReleasedCommand
from backend.ops.purges import purge


class Command(ReleasedCommand):
    help = "Delete or empty what was kept long enough: all kinds of data, or those that are named."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(Kind)}")
        parser.add_argument("--dry-run", action="store_true", help="Say how many rows would go, and change nothing.")

    def handle(self, *_args: Any, kinds: list[str], dry_run: bool, **_options: Any) -> None:
        now = timezone.now()
        for kind in _named(kinds):
            count = retention.stale(kind, now=now).count() if dry_run else _purge_all(kind, now=now)
            rule = RULES[kind]
            self.stdout.write(f"{kind}: {'would be ' if dry_run else ''}{rule.then.partition(';')[0]}: {count}")


def _named(kinds: list[str]) -> list[Kind]:
    """Raises CommandError."""
    unknown = set(kinds) - set(Kind)
    if unknown:
        raise CommandError(f"{', '.join(sorted(unknown))}: no kind of data; there are {', '.join(Kind)}.")
    return [Kind(name) for name in kinds] or list(Kind)


def _purge_all(kind: Kind, *, now: datetime) -> int:
    gone = 0
    while done := purge(kind, now=now):
        gone += done
    return gone
