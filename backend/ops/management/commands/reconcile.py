"""Compare our books with a gateway's, at once and in full: what is paid, booked or given back on one side alone."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from backend.bookings import policy
from backend.bookings.lifecycle.differences import Difference
from backend.core.commands import ReleasedCommand
from backend.core.errors import OutsideFailure, Permanent, Refused, Unreadable
from backend.core.formatting import practice_zone
from backend.ops import reconciler
from backend.payments.models import Payment

LINE = "{:<10} {:<25} {:<34} {:<12} {}"


class Command(ReleasedCommand):
    help = "List what is paid, booked or given back in our books alone or at the gateway alone, and put it right."

    def add_arguments(self, parser: ArgumentParser) -> None:
        hours = f"the last {policy.RECONCILED_FOR.total_seconds() / 3600:.0f} hours, unless said"
        parser.add_argument("--since", type=_day, metavar="DAY", help=f"2026-11-20; {hours}")
        parser.add_argument("--gateway", default="", metavar="NAME", help="each that has payments since, unless said")
        parser.add_argument("--dry-run", action="store_true", help="change nothing")

    def handle(self, *_args: Any, since: datetime | None, gateway: str, dry_run: bool, **_options: Any) -> None:
        now = timezone.now()
        since = since or now - policy.RECONCILED_FOR
        names = [gateway] if gateway else _gateways(since)
        self.stdout.write(LINE.format("gateway", "payment", "what", "done", "why"))
        found = 0
        for name in names:
            try:
                for difference in reconciler.compare_all(name, since, now=now):
                    found += 1
                    self._say(difference, "" if dry_run else _mended(difference))
            except (OutsideFailure, Refused) as error:
                raise CommandError(f"{name} could not be compared: {error}") from error
        self.stdout.write(
            f"{found} differences since {since:%Y-%m-%d %H:%M %Z}, at {', '.join(names) or 'no gateway'}."
        )

    def _say(self, difference: Difference, done: str) -> None:
        told = (difference.gateway, difference.reference or "-", difference.kind, done or "-", difference.why)
        self.stdout.write(LINE.format(*told))


def _mended(difference: Difference) -> str:
    try:
        return reconciler.mend(difference)
    except Refused as refused:
        return refused.code
    except (DatabaseError, Permanent, Unreadable) as error:
        return type(error).__name__


def _gateways(since: datetime) -> list[str]:
    moved = Payment.objects.filter(Q(started_at__gte=since) | Q(captured_at__gte=since)).exclude(gateway="")
    return sorted(moved.order_by().values_list("gateway", flat=True).distinct())


def _day(typed: str) -> datetime:
    """The first instant of a day, where the practice is. Raises ValueError, which argparse tells."""
    return datetime.strptime(typed, "%Y-%m-%d").replace(tzinfo=practice_zone())
