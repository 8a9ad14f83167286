"""What the database was asked: statements, whether they were sent together or one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.core.statements import TOGETHER


def statements(captured: CaptureQueriesContext) -> list[str]:
    return [one for query in captured for one in query["sql"].split(TOGETHER)]


@contextmanager
def asks(count: int, *, trips: int | None = None) -> Iterator[CaptureQueriesContext]:
    """The block asks so many; on PostgreSQL in so many trips, one each unless they are given."""
    with CaptureQueriesContext(connection) as captured:
        yield captured
    found = statements(captured)
    assert len(found) == count, "\n".join(found)
    assert connection.vendor != "postgresql" or len(captured) == (count if trips is None else trips), "\n".join(found)
