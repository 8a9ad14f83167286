"""A million additions of integers: what everybody's machine can do, and knows how long it takes."""

from __future__ import annotations

MILLION = 1_000_000


def add(count: int = MILLION) -> int:
    total = 0
    for number in range(count):
        total += number
    return total
