"""What a month cost, and the picture of all months: cost against size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import connection

from backend.bookings.models import Booking
from backend.outbox.models import Message
from tests.support import plot

PICTURE = Path("var/simulate/cost.png")
BESIDE = "a million additions"  # what the machine gave meanwhile: a rise that it shares is not ours


@dataclass(frozen=True)
class Month:
    """`bookings` and `mails` are all so far; costs are milliseconds of CPU: for each booking made, and of additions."""

    ended: datetime
    bookings: int
    made: int
    mails: int
    megabytes: float
    costs: Mapping[str, float]
    broken: Sequence[str]

    @property
    def line(self) -> str:
        cost = ", ".join(f"{name} {cost:.1f} ms" for name, cost in self.costs.items())
        held = "all held" if not self.broken else f"{len(self.broken)} BROKEN: {self.broken[0]}"
        size = f"{self.bookings:,} bookings, {self.mails:,} mails, {self.megabytes:,.0f} MB"
        return f"{self.ended:%d %b %Y}: {size}; CPU of a booking: {cost}; {held}"


def of_month(
    ended: datetime, made: int, spent: Mapping[str, float], *, additions: float, broken: Sequence[str]
) -> Month:
    """As the database stands."""
    costs = {"web and workers": spent["ours"], "database": spent["database"]}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        megabytes = cursor.fetchone()[0] / 1e6
    mails = Message.objects.filter(queue="mail", state="done").count()
    each = {name: 1000 * seconds / max(made, 1) for name, seconds in costs.items()} | {BESIDE: additions}
    return Month(ended, Booking.objects.count(), made, mails, megabytes, each, broken)


def draw(months: Sequence[Month]) -> Path:
    """CPU of a booking against how many there are, as a picture."""
    title = "CPU of one booking from request to end, in ms, against bookings made so far"
    lines = {name: [month.costs[name] for month in months] for name in months[-1].costs}
    return plot.draw(PICTURE, title, [month.bookings for month in months], lines)
