"""What a month cost, and the picture of all months: cost against size."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import connection
from PIL import Image, ImageDraw

from backend.bookings.models import Booking
from backend.outbox.models import Message

OURS = os.getpid()
PICTURE = Path("var/simulate/cost.png")
SIZE, EDGE = (900, 460), 60
INK, LINES = "#333333", {"web and workers": "#1f5fa8", "database": "#b4531f"}


@dataclass(frozen=True)
class Month:
    """`bookings` and `mails` are all so far; costs are milliseconds of CPU for each booking made in the month."""

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
        return f"{self.ended:%d %b %Y}: {size}; a booking: {cost}; {held}"


def of_month(ended: datetime, made: int, spent: Mapping[str, float], *, broken: Sequence[str]) -> Month:
    """As the database stands."""
    costs = {"web and workers": spent["ours"], "database": spent["database"]}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        megabytes = cursor.fetchone()[0] / 1e6
    mails = Message.objects.filter(queue="mail", state="done").count()
    each = {name: 1000 * seconds / max(made, 1) for name, seconds in costs.items()}
    return Month(ended, Booking.objects.count(), made, mails, megabytes, each, broken)


def draw(months: Sequence[Month]) -> Path:
    """CPU of a booking against how many there are, as a picture."""
    picture = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(picture)
    right, bottom = SIZE[0] - EDGE, SIZE[1] - EDGE
    most, top = months[-1].bookings, max(max(month.costs.values()) for month in months) * 1.15
    pen.line([(EDGE, EDGE), (EDGE, bottom), (right, bottom)], fill=INK)
    pen.text((EDGE, EDGE / 3), "CPU of one booking from request to end, in ms, against bookings made so far", fill=INK)
    for part in range(5):
        height = bottom - (bottom - EDGE) * part / 4
        pen.text((EDGE / 5, height - 6), f"{top * part / 4:.0f}", fill=INK)
        pen.text((EDGE + (right - EDGE) * part / 4, bottom + 8), f"{most * part // 4:,}", fill=INK)
    for number, (name, colour) in enumerate(LINES.items()):
        across = [EDGE + (right - EDGE) * month.bookings / most for month in months]
        down = [bottom - (bottom - EDGE) * month.costs[name] / top for month in months]
        pen.line(list(zip(across, down, strict=True)), fill=colour, width=3)
        pen.text((right - 160, EDGE + 16 * number), name, fill=colour)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    picture.save(PICTURE)
    return PICTURE
