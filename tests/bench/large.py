"""The second database, in which the practice is large: who is connected to it, and how it is filled once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from backend.bookings.models import Booking
from tests.bench import practice
from tests.bench.figures import Figure
from tests.bench.run import Run

NAME = "large"


@contextmanager
def connected() -> Iterator[None]:
    """This process works on it, until the block ends."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = NAME
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def filled(run: Run) -> Figure:
    """How long it took; a moment where another row has done it."""
    began = time.perf_counter()
    with connected():
        if not Booking.objects.exists():
            practice.make(run.bookings)
    return Figure(f"a practice of {run.bookings:,} bookings, made in", [time.perf_counter() - began], "s")
