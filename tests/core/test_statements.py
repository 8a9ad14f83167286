"""Statements that are sent together answer as they would one by one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import DataError, IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from backend.core import compiled_writes
from backend.core.statements import Row, Statement, rows, run
from backend.people.models import Client

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 12, 0, 0, 250, tzinfo=UTC)


def one(sql: str, *values: object) -> Statement[list[Row]]:
    return Statement(sql, values or None, rows)


def client(email: str, **values: Any) -> Client:
    return Client(email=email, created_at=NOW, **values)


def test_none_asks_nothing(django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        assert run() == []


def test_each_answers_in_one_trip_where_there_is_one() -> None:
    with CaptureQueriesContext(connection) as asked:
        assert run(one("SELECT 1"), one("SELECT %s", "a"), one("SELECT 1 WHERE 1 = 2")) == [[(1,)], [("a",)], []]
    assert len(asked) == (1 if connection.vendor == "postgresql" else 3)


TEXTS = ["it's", "100 %", "%s", "%%", "\\'; DROP TABLE x; --", "₹ 1,500", "a;\nb", ""]


@pytest.mark.parametrize("text", TEXTS)
def test_a_value_arrives_as_it_is_beside_signs_that_are_marks_elsewhere(text: str) -> None:
    like = one("SELECT %s, %s LIKE '%%%%', 'a%%b'", text, text)
    assert run(like) == [[(text, 1, "a%b")]]
    assert run(one("SELECT 1"), like) == [[(1,)], [(text, 1, "a%b")]]


@pytest.mark.postgres_only
@pytest.mark.parametrize("value", [None, True, 7, NOW, date(2026, 11, 23), UUID(int=5), [1, 2]])
def test_a_value_of_each_kind_arrives_so_too(value: object) -> None:
    asked = one("SELECT %s", value)
    assert run(one("SELECT 1"), asked)[1] == run(asked)[0] == [(value,)]


def test_a_later_one_sees_what_an_earlier_one_did() -> None:
    asha = client("asha@example.org")
    stored, found = run(compiled_writes.inserting([asha]), one("SELECT email FROM people_client"))
    assert stored
    assert asha.pk
    assert found == [("asha@example.org",)]


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_wrong", [{"stable_id": UUID(int=1)}, {"full_name": "a\0b"}])
def test_of_one_trip_outside_a_transaction_nothing_is_kept_if_one_fails(is_wrong: dict[str, Any]) -> None:
    Client.objects.create(email="ravi@example.org", created_at=NOW, stable_id=UUID(int=1))
    with pytest.raises((IntegrityError, DataError, ValueError)):
        run(
            compiled_writes.inserting([client("asha@example.org")]),
            compiled_writes.inserting([client("meera@example.org", **is_wrong)]),
        )
    assert Client.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_first_of_a_connection_may_be_one_that_stores() -> None:
    connection.close()
    assert compiled_writes.insert([client("asha@example.org")])
    connection.close()
    assert run(one("SELECT %s", "a"), one("SELECT %s", "b")) == [[("a",)], [("b",)]]


def test_who_has_fewer_values_than_places_is_told() -> None:
    with pytest.raises(Exception, match=r"argument|shorter|bindings|parameter"):
        run(one("SELECT 1"), one("SELECT %s, %s", 1))
