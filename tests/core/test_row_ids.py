"""What is sent for an id of a row."""

from __future__ import annotations

import pytest

from backend.core.row_ids import row_id

pytestmark = pytest.mark.sqlite_only


@pytest.mark.parametrize(
    ("text", "found"),
    [("12", 12), ("0", 0), ("", 0), ("x", 0), ("-1", 0), ("1 ", 0), ("²", 0), ("٣", 0), ("9" * 18, 10**18 - 1)],
)
def test_digits_are_an_id_and_the_rest_is_none(text: str, found: int) -> None:
    assert row_id(text) == found


@pytest.mark.parametrize("count", [19, 5000])  # of which Python reads no number
def test_what_is_too_long_for_a_database_is_none(count: int) -> None:
    assert row_id("9" * count) == 0
