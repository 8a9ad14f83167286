"""What is done while PostgreSQL works: once, for certain meanwhile, and the connection is none the worse for it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from backend.core.meanwhile import InUse, meanwhile

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]


class Noted:
    """How the server said that it was, each time."""

    def __init__(self) -> None:
        self.states: list[Any] = []

    def __call__(self) -> None:
        self.states.append(connection.connection.info.transaction_status.name)


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
    assert do.states == ["ACTIVE"]


def test_it_is_done_in_a_transaction_too() -> None:
    do = Noted()
    with transaction.atomic(), meanwhile(do):
        assert ask() == (7,)
    assert do.states == ["ACTIVE"]


def test_without_a_statement_it_is_not_done_nor_later() -> None:
    do = Noted()
    with meanwhile(do):
        pass
    assert ask() == (7,)
    assert do.states == []


def test_what_asks_the_database_is_refused_and_nobody_waits() -> None:
    with pytest.raises(InUse), meanwhile(lambda: ask("SELECT 8")):
        ask()
    assert ask() == (7,)


def test_what_fails_fails_once_the_statement_is_answered() -> None:
    with connection.cursor() as cursor:
        with pytest.raises(ZeroDivisionError), meanwhile(lambda: 1 // 0):
            cursor.execute("CREATE TEMPORARY TABLE done_all_the_same (id int)")
        cursor.execute("SELECT count(*) FROM done_all_the_same")
        assert cursor.fetchone() == (0,)
        cursor.execute("DROP TABLE done_all_the_same")


def test_what_the_statement_raises_is_raised() -> None:
    do = Noted()
    with pytest.raises(DatabaseError, match="division by zero"), meanwhile(do):
        ask("SELECT 1 / 0")
    assert ask() == (7,)
    assert do.states == ["ACTIVE"]
