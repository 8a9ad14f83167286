"""Gives every booking of one state more time, after an outage of ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backend.bookings import policy
from backend.bookings.command_arguments import add_actor, parse_actor
from backend.bookings.lifecycle.front_desk import EXTENDABLE, extend_deadline
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.core.commands import ReleasedCommand

HOURS_MOST = 720  # 30 days; a longer outage is a typing error


class Command(ReleasedCommand):
    help = "Extend the deadline of every booking of one state. Run it once: each run adds its hours again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--state", required=True, help=f"one of {_choices()}")
        parser.add_argument("--hours", required=True, type=int, help=f"1 to {HOURS_MOST}")
        parser.add_argument("--dry-run", action="store_true", help="only count")
        add_actor(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        state, span, by = _state(options["state"]), _span(options["hours"]), parse_actor(options["actor"])
        if options["dry_run"]:
            self.stdout.write(f"{_of(state).count()} {state} would be extended by {options['hours']} h; none was")
            return
        extended = 0
        try:
            for booking_id in _ids(state):
                extended += extend_deadline(booking_id, state, span, actor=by, now=timezone.now())
        finally:  # broken off half-way, the number says that some have their time already; the ledger says which
            self.stdout.write(f"{extended} {state} extended by {options['hours']} h")


def _ids(state: State) -> Iterator[int]:
    """Each booking that is in `state` when its turn comes, once, a batch at a time."""
    last = 0
    while batch := list(
        _of(state).filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[: policy.SWEEP_BATCH]
    ):
        yield from batch
        last = batch[-1]


def _of(state: State) -> Any:
    return Booking.objects.filter(state=state, due_at__isnull=False)


def _choices() -> str:
    return ", ".join(EXTENDABLE)


def _state(typed: str) -> State:
    if typed.upper() not in EXTENDABLE:
        raise CommandError(f"--state {typed!r}: choose one of {_choices()}.")
    return State(typed.upper())


def _span(hours: int) -> timedelta:
    if not 0 < hours <= HOURS_MOST:
        raise CommandError(f"--hours {hours}: give whole hours between 1 and {HOURS_MOST}.")
    return timedelta(hours=hours)
