"""What commands read in the same way."""

from __future__ import annotations

import re

from django.core.management.base import CommandError, CommandParser


def add_actor(parser: CommandParser) -> None:
    """`--actor staff:NAME`."""
    parser.add_argument("--actor", default="staff:console", metavar="staff:NAME", help="who the record names")


def actor(typed: str) -> str:
    """As the ledger names it. Raises CommandError."""
    if not re.fullmatch(r"staff:\S{1,74}", typed):  # 80 characters is what a ledger row has
        raise CommandError(f"--actor {typed!r}: give staff: and a name of up to 74 characters.")
    return typed
