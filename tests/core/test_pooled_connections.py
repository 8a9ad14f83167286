"""A connection that was ended is found out before it is used, and one that answered lately costs no statement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from django.db import connection
from psycopg_pool import ConnectionPool

from backend.core import pooled_connections
from backend.core.pooled_connections import PooledConnection

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db]

LAST_ASKED = "SELECT query_start FROM pg_stat_activity WHERE pid = %s"
END = "SELECT pg_terminate_backend(%s, 5000)"  # milliseconds; it is over then


@pytest.fixture
def kept() -> Iterator[PooledConnection]:
    with closing(PooledConnection.connect(**parameters())) as opened:
        ConnectionPool.check_connection(opened)
        yield opened


def parameters() -> dict[str, object]:
    return {**connection.get_connection_params(), "autocommit": True}


def ask_about(of: PooledConnection, query: str) -> object:
    """Over another connection, and outside a transaction, where what was seen once stays."""
    with closing(psycopg.connect(**parameters())) as watching:
        return watching.execute(query, [of.info.backend_pid]).fetchone()


def test_one_that_answered_lately_is_asked_nothing(kept: PooledConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask_about(kept, LAST_ASKED)
    ConnectionPool.check_connection(kept)
    assert ask_about(kept, LAST_ASKED) == first
    monkeypatch.setattr(pooled_connections, "TRUSTED_FOR", 0.0)
    ConnectionPool.check_connection(kept)
    assert ask_about(kept, LAST_ASKED) != first


def test_one_that_was_ended_is_not_used(kept: PooledConnection) -> None:
    assert ask_about(kept, END) == (True,)
    with pytest.raises(psycopg.OperationalError):
        ConnectionPool.check_connection(kept)


def test_the_pool_of_the_web_has_such() -> None:
    connection.ensure_connection()
    assert isinstance(connection.connection, PooledConnection)
