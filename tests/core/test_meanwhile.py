"""What is done while PostgreSQL works: once, for certain meanwhile, and the connection is none the worse for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from backend.core.meanwhile import InUse, meanwhile

pytestmark = pytest.mark.django_db(transaction=True)
on_postgresql = pytest.mark.postgres_only


class Noted:
    """How psycopg said that the connection was, each time."""

    def __init__(self) -> None:
        self.states: list[Any] = []
        self._opened = connection.connection

    def __call__(self) -> None:
        self.states.append(self._opened.info.transaction_status.name)


def ask(statement: str = "SELECT 7") -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()


@pytest.fixture(autouse=True)
def _connected() -> None:
    connection.ensure_connection()


def test_it_is_done_once_while_the_next_statement_is_on_its_way() -> None:
    do = Noted()
    with meanwhile(do):
        assert do.states == []
        assert (ask(), ask()) == ((7,), (7,))
    assert ask() == (7,)
    assert do.states == (["ACTIVE"] if connection.vendor == "postgresql" else [])


def test_who_is_not_connected_yet_connects_and_that_is_all() -> None:
    do = Noted()
    connection.close()
    with meanwhile(do):
        assert ask() == (7,)
    assert do.states == []


@on_postgresql
@pytest.mark.parametrize("asked_before", [0, 1])
def test_it_is_done_in_a_transaction_too(asked_before: int) -> None:
    """While that begins, or while the statement is answered."""
    do = Noted()
    with transaction.atomic():
        for _ in range(asked_before):
            ask()
        with meanwhile(do):
            assert ask() == (7,)
        assert do.states == ["ACTIVE"]
        assert ask() == (7,)


@on_postgresql
def test_without_a_statement_it_is_not_done_nor_later() -> None:
    do = Noted()
    with meanwhile(do):
        pass
    assert ask() == (7,)
    assert do.states == []


def begin() -> None:
    with transaction.atomic():
        pass


@on_postgresql
@pytest.mark.parametrize("outer", [transaction.atomic, nullcontext])
@pytest.mark.parametrize("do", [lambda: ask("SELECT 8"), begin, lambda: connection.connection.execute("SELECT 8")])
def test_what_asks_the_database_is_refused_and_nobody_waits(
    do: Callable[[], None], outer: Callable[[], AbstractContextManager[None]]
) -> None:
    with outer():
        with pytest.raises(InUse), meanwhile(do):
            ask()
        assert ask() == (7,)
    assert connection.get_autocommit()


@on_postgresql
def test_what_fails_fails_once_the_statement_is_answered() -> None:
    with connection.cursor() as cursor:
        with pytest.raises(ZeroDivisionError), meanwhile(lambda: 1 // 0):
            cursor.execute("CREATE TEMPORARY TABLE done_all_the_same (id int)")
        cursor.execute("SELECT count(*) FROM done_all_the_same")
        assert cursor.fetchone() == (0,)
        cursor.execute("DROP TABLE done_all_the_same")


@on_postgresql
def test_what_the_statement_raises_is_raised() -> None:
    do = Noted()
    with pytest.raises(DatabaseError, match="division by zero"), meanwhile(do):
        ask("SELECT 1 / 0")
    assert ask() == (7,)
    assert do.states == ["ACTIVE"]
