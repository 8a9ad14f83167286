"""Writes made at once, or together at the end of a batch."""

from __future__ import annotations

import pytest

from backend.core import batched_writes

written: list[tuple[str, list[int]]] = []


@pytest.fixture(autouse=True)
def _nothing_written() -> None:
    written.clear()


def first(items: list[int]) -> None:
    written.append(("first", items))


def second(items: list[int]) -> None:
    written.append(("second", items))
    batched_writes.write(first, 9)  # of the writing itself nothing waits


def test_alone_each_is_written_at_once() -> None:
    batched_writes.write(first, 1)
    batched_writes.write(first, 2)
    assert written == [("first", [1]), ("first", [2])]


def test_in_a_batch_each_kind_is_one_call_at_its_end_in_the_order_of_their_first() -> None:
    with batched_writes.batch():
        for item in (1, 2):
            batched_writes.write(second, item)
            batched_writes.write(first, item)
        assert written == []
    assert written == [("second", [1, 2]), ("first", [9]), ("first", [1, 2])]


def test_a_batch_within_another_is_part_of_it() -> None:
    with batched_writes.batch():
        with batched_writes.batch():
            batched_writes.write(first, 1)
        batched_writes.write(first, 2)
        assert written == []
    assert written == [("first", [1, 2])]


def fail_in_a_batch() -> None:
    with batched_writes.batch():
        batched_writes.write(first, 1)
        _ = 1 / 0


def test_of_a_batch_that_fails_nothing_is_written_and_the_next_is_alone_again() -> None:
    with pytest.raises(ZeroDivisionError):
        fail_in_a_batch()
    assert written == []
    batched_writes.write(first, 2)
    assert written == [("first", [2])]
