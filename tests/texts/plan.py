"""What a storm is made of, and what is written down while it blows."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

A_SECOND = 40  # reminders


@dataclass(frozen=True)
class Plan:
    """`fallback_after` and `outage` are ten minutes on a compressed clock."""

    people: int = 5000
    within: float = (
        0.0  # seconds, in which all reminders come due; 0: as many as two workers of each queue keep up with
    )
    fallback_after: int = 20  # seconds
    outage: float = 20.0  # seconds: no provider takes anything
    kills: tuple[str, ...] = ("calls", "mail")  # the queues whose workers are killed, by turns
    killed_after: int = 120  # requests to providers: a worker is killed while it works, however slow the machine is
    kills_most: int = 1000
    workers: int = 2  # of each queue
    calm: float = 900.0  # seconds at the longest, once all are due: leases of killed workers run out, 90 s for a mail
    seed: int = 7

    @property
    def is_large(self) -> bool:
        """Whether it must have met each trouble; a small one on a slow machine may be over before."""
        return self.people >= 1000

    @property
    def due_within(self) -> float:
        """Seconds."""
        return self.within or max(3.0 * self.outage, self.people / A_SECOND)


@dataclass(frozen=True)
class Person:
    """One who asked to be reminded by a channel."""

    number: int
    channel: str
    booking_id: int

    @property
    def phone(self) -> str:
        return f"+91{7_000_000_000 + self.number}"

    @property
    def email(self) -> str:
        return f"p{self.number}@storm.example"


@dataclass
class Journal:
    """By a telephone: when we took a genuine report or a STOP of it. All by one process's clock."""

    delivered: dict[str, float] = field(default_factory=dict)
    failed: dict[str, float] = field(default_factory=dict)
    stopped: dict[str, float] = field(default_factory=dict)
    forged: list[int] = field(default_factory=list)  # what was answered
    refused: list[str] = field(default_factory=list)  # genuine ones that were not taken
    bounces: dict[str, tuple[float, float]] = field(default_factory=dict)  # by the mail's uuid: sent, and taken
    killed: Counter[str] = field(default_factory=Counter)  # workers, by their queue
    refused_in_outage: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def first(self, kept: dict[str, float], phone: str) -> None:
        """The first time counts."""
        with self._lock:
            kept.setdefault(phone, time.monotonic())
