"""What commands read in the same way."""

from __future__ import annotations

from django.core.management.base import CommandError, CommandParser

from backend.bookings import actors

CONSOLE = actors.staff("console")


def add_actor(parser: CommandParser) -> None:
    """`--actor staff:NAME`."""
    parser.add_argument("--actor", default=CONSOLE, metavar="staff:NAME", help="who the record names")


def parse_actor(typed: str) -> str:
    """As the ledger names it. Raises CommandError."""
    named = actors.parse_staff(typed)
    if named is None:
        raise CommandError(f"--actor {typed!r}: give staff: and a name without spaces.")
    return named
