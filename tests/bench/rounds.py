"""Rounds: what is compared is done by turns, in an order drawn anew each round, so that neighbours hit all alike."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import TypeVar

T = TypeVar("T")


def interleaved(variants: Mapping[str, Callable[[], T]], rounds: int, chance: random.Random) -> dict[str, list[T]]:
    """What each variant gave, round by round. The first time of each, which fills caches, is thrown away."""
    for variant in variants.values():
        variant()
    found: dict[str, list[T]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name in chance.sample(list(variants), len(variants)):
            found[name].append(variants[name]())
    return found
