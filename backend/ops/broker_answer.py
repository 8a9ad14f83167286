"""What the broker told. Here it is without the library that asks it, which few processes need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class CeleryQueue:
    """A queue of wake-ups in the broker."""

    name: str
    ready: int
    oldest_age: timedelta | None  # None: empty, or of a sender that did not say when
    unacknowledged: int
    oldest_unacknowledged_age: timedelta | None  # since it was delivered to a worker


@dataclass(frozen=True)
class Broker:
    """What the broker told. Without queues when it did not answer."""

    is_reachable: bool
    trouble: str = ""
    refusal: str = ""  # it answers, and why it takes no message
    evicts: bool | None = False  # it may throw messages away when its memory is full; None: we may not ask
    queues: tuple[CeleryQueue, ...] = ()
