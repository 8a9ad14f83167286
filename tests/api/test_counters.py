"""The counter of a client's requests does not wait for the disk, and makes nothing else not wait for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from backend.api import throttle

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _waits() -> Iterator[None]:
    """Whatever the server of the tests does by itself."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = on")
        yield
        cursor.execute("RESET synchronous_commit")


def commits() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        return str(cursor.fetchone()[0])


def test_alone_it_does_not_wait_and_what_follows_does(now: datetime) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert [throttle.take("a", 2, now=now) for _ in range(3)] == [True, True, False]
    assert all("set_config('synchronous_commit', 'off', true)" in query["sql"] for query in asked)
    assert len(asked) == 3
    assert commits() == "on"
    assert throttle.counted("a", now=now) == 2


def test_in_the_transaction_of_something_that_was_promised_it_waits(now: datetime) -> None:
    with transaction.atomic():
        assert throttle.take("a", 2, now=now)
        assert commits() == "on"
