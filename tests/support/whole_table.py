"""How much of a large table a run tries: a part for each row, and with TEST_WHOLE_TABLE=1 all of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

VARIABLE = "TEST_WHOLE_TABLE"
IS_WHOLE = os.environ.get(VARIABLE) == "1"
T = TypeVar("T")


def part(cells: Sequence[T], row: int, parts: int) -> list[T]:
    """One of so many parts, another one than the row before it tries: that many rows together try every cell."""
    return list(cells if IS_WHOLE else cells[row % parts :: parts])
