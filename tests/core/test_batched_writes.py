"""Writes made at once, or sent together at the end of a batch."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend.core import batched_writes
from backend.core.statements import Statement, rows

pytestmark = pytest.mark.django_db

written: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_written() -> None:
    written.clear()


def note(said: str) -> Statement[None]:
    return Statement("SELECT %s", [said], lambda cursor: written.append(rows(cursor)[0][0]))


def first(items: list[int]) -> list[Statement[Any]]:
    return [note(f"first {items}")]


def second(items: list[int]) -> list[Statement[Any]]:
    batched_writes.write(first, 9)
    return [note(f"second {items}"), note("and more")]


def act(items: list[int]) -> None:
    written.append(f"act {items} after {len(written)}")
    batched_writes.write(first, 7)


def test_alone_each_is_written_at_once() -> None:
    batched_writes.write(first, 1)
    batched_writes.do(act, 2)
    assert written == ["first [1]", "act [2] after 1", "first [7]"]


def test_in_a_batch_each_kind_is_writer_once_in_the_order_of_their_first_and_all_go_together() -> None:
    with CaptureQueriesContext(connection) as asked, batched_writes.batch():
        for item in (1, 2):
            batched_writes.write(second, item)
            batched_writes.write(first, item)
        assert written == []
    assert written == ["second [1, 2]", "and more", "first [1, 2, 9]"]
    assert len(asked) == (1 if connection.vendor == "postgresql" else 3)


def test_what_asks_by_itself_finds_what_was_asked_for_before_it() -> None:
    with batched_writes.batch():
        for item in (1, 2):
            batched_writes.write(first, item)
            batched_writes.do(act, item)
    assert written == ["first [1, 2]", "act [1, 2] after 1", "first [7]"]


def test_a_batch_within_another_is_part_of_it() -> None:
    with batched_writes.batch():
        with batched_writes.batch():
            batched_writes.write(first, 1)
        batched_writes.write(first, 2)
        assert written == []
    assert written == ["first [1, 2]"]


def fail_in_a_batch() -> None:
    with batched_writes.batch():
        batched_writes.write(first, 1)
        _ = 1 / 0


def test_of_a_batch_that_fails_nothing_is_written_and_the_next_is_alone_again() -> None:
    with pytest.raises(ZeroDivisionError):
        fail_in_a_batch()
    assert written == []
    batched_writes.write(first, 2)
    assert written == ["first [2]"]
