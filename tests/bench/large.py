"""The second database, in which the practice is large: who is connected to it, and how it is filled once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection
from psycopg.sql import SQL, Identifier

from backend.bookings.models import Booking
from tests.bench import practice
from tests.bench.figures import Figure
from tests.bench.run import Run

NAME = "large"


@contextmanager
def connected(name: str = NAME) -> Iterator[None]:
    """This process works on it, until the block ends."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


def filled(run: Run, name: str = NAME, count: int = 0) -> Figure:
    """How long it took; a moment where another row has done it."""
    began, count = time.perf_counter(), count or run.bookings
    with connected(name):
        if not Booking.objects.exists():
            practice.make(count)
    return Figure(f"a practice of {count:,} bookings, made in", [time.perf_counter() - began], "s")


def beside(run: Run, count: int) -> str:
    """The name of one more such database, which is made empty where it is not there."""
    name = f"{NAME}_{count}"
    connection.close()  # a template may have no connections
    with psycopg.connect(run.parts.database.url.rpartition("/")[0] + "/postgres", autocommit=True) as server:
        if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchall():
            server.execute(SQL("CREATE DATABASE {} TEMPLATE app").format(Identifier(name)))
    return name
