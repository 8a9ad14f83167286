"""How often an effect is tried, and with which waits: for an hour, or for days where its kind says so.

A kind may have two parts, `webhook:booking.approved`: the first says whose it is, the second what it speaks of.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import repeat

from django.db.models import Q

from backend.core import environment as env

MAX_ATTEMPTS = 8  # with the back-off below: given up after a bit more than an hour
BACK_OFF_FIRST = timedelta(seconds=4)  # most failures of a provider are over within seconds, and someone waits
BACK_OFF_FACTOR = 3  # 4 s, 12 s, 36 s, 2 min, 5 min, 16 min, 49 min: an outage of an hour is outlived
BACK_OFF_MOST = env.duration("BACK_OFF_MOST", "the longest wait between two attempts of an effect", default="1h")
WEBHOOK_BACK_OFF_MOST = env.duration(
    "WEBHOOK_BACK_OFF_MOST", "the longest wait between two attempts of a webhook", default="24h"
)
FALLBACK_AFTER = env.duration(
    "FALLBACK_AFTER",
    "how long after a reminder was sent to a telephone it is mailed as well, unless it is known to be delivered",
    default="10m",
)

WEBHOOK = "webhook"
ROOM = "room"
TEXT = "text"  # to a telephone
_SECONDS, _MINUTES, _HOURS = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours"))
TRIED_FOR = timedelta(days=3)  # a webhook: who is called has a weekend to notice that its server is down
_DAYS_OF_WAITS = (
    *(5 * _SECONDS, 30 * _SECONDS, 5 * _MINUTES, 25 * _MINUTES),
    *(2 * _HOURS, 5 * _HOURS, 10 * _HOURS, 14 * _HOURS, 16 * _HOURS, 24 * _HOURS),
)


@dataclass(frozen=True)
class Patience:
    """The waits after the attempts, but for the jitter; after one more it is given up."""

    waits: tuple[timedelta, ...]

    @property
    def attempts_most(self) -> int:
        """How many attempts there are."""
        return len(self.waits) + 1

    def wait(self, attempts: int) -> timedelta:
        """After that many."""
        return self.waits[min(max(attempts, 1), len(self.waits)) - 1]


AN_HOUR = Patience(
    tuple(min(BACK_OFF_FIRST * BACK_OFF_FACTOR**n, BACK_OFF_MOST) for n in range(MAX_ATTEMPTS - 1)),
)
DAYS = Patience(tuple(map(min, _DAYS_OF_WAITS, repeat(WEBHOOK_BACK_OFF_MOST))))
# Somebody may stand before the door of a room: often at first, and as long as any other in all
_ROOM_WAITS = (*(n * _SECONDS for n in (1, 2, 3, 4, 5, 10, 30)), *(n * _MINUTES for n in (2, 5, 16, 49)))
OFTEN = Patience(tuple(map(min, _ROOM_WAITS, repeat(BACK_OFF_MOST))))

OF_DAYS = Q(kind__startswith=f"{WEBHOOK}:")  # the rows that are tried so long
_OF_ROOMS = Q(kind__startswith=f"{ROOM}:")
EACH = ((OF_DAYS, DAYS), (_OF_ROOMS, OFTEN), (~OF_DAYS & ~_OF_ROOMS, AN_HOUR))  # which rows have which


def whose(kind: str) -> str:
    """The first part of a kind."""
    return kind.partition(":")[0]


def of(kind: str) -> Patience:
    """With an effect of this kind."""
    return {WEBHOOK: DAYS, ROOM: OFTEN}.get(whose(kind), AN_HOUR)
