"""What every row is given: where to ask, whose CPU counts, how often and how much."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from tests.bench.rounds import interleaved
from tests.bench.service import Service

T = TypeVar("T")


@dataclass
class Run:
    """A run of the bench, or the tiny one of the tests, which has no service of its own."""

    url: str
    bare_url: str
    groups: Callable[[], Mapping[str, Sequence[int]]]  # whose CPU counts: the pids of `web`, `bare` and `database`
    service: Service | None = None
    rounds: int = 4
    size: float = 1.0  # of what a round does
    bookings: int = 0  # the size of the practice that pages are measured on
    held_minutes: float = 15  # how long a snapshot is held
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    def compare(self, variants: Mapping[str, Callable[[], T]]) -> dict[str, list[T]]:
        """Interleaved rounds."""
        return interleaved(variants, self.rounds, self.chance)

    def many(self, count: int) -> int:
        """So many of something, in a run of this size."""
        return max(2, round(count * self.size))

    @property
    def parts(self) -> Service:
        """Of a row that starts and stops processes."""
        assert self.service is not None, "this row needs a service of its own"
        return self.service
