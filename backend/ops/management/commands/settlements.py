"""Fetches what gateways paid out on given days, for the statement of accounts; as a timer does for the last three."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from backend.core.commands import ReleasedCommand
from backend.core.errors import Permanent, Refused, Transient
from backend.payments.adapters import gateway_named
from backend.payments.settlements import fetch_day, gateways_in_use

LONGEST = timedelta(days=400)


class Command(ReleasedCommand):
    help = "Fetch and keep what the gateways paid out from one day to another."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("first", type=_day, metavar="FIRST", help="as 2026-04-01, of the practice's zone")
        parser.add_argument("last", type=_day, metavar="LAST", nargs="?", help="FIRST if it is left out")
        parser.add_argument("--gateway", help="one; otherwise each that took money of late")

    def handle(self, *_args: Any, first: date, last: date | None, gateway: str | None, **_options: Any) -> None:
        now = timezone.now()
        days = ((last or first) - first).days + 1
        if not 0 < days <= LONGEST.days or (last or first) > timezone.localdate(now):
            raise CommandError(f"Choose days up to today, the first before the last, at most {LONGEST.days} of them.")
        for name in [gateway] if gateway else gateways_in_use(now=now):
            for day in (first + timedelta(days=number) for number in range(days)):
                self.stdout.write(f"{name} {day}: {_fetched(name, day)} new")


def _fetched(name: str, day: date) -> int:
    """Raises CommandError."""
    try:
        return fetch_day(gateway_named(name), day)
    except Refused as refused:
        raise CommandError(f"{name}: no gateway is configured by that name.") from refused
    except (Transient, Permanent) as error:
        raise CommandError(f"{name} {day}: {error}") from error


def _day(text: str) -> date:
    return date.fromisoformat(text)
