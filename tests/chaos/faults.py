"""The faults of a storm: drawn from a seed, so that a run can be repeated."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What goes wrong."""

    WORKER = "kill -9 of a worker"
    CHILD = "kill -9 of a worker's child"
    BEAT = "kill -9 of beat"
    WEB = "kill -9 of web"
    WEB_CHILD = "kill -9 of a web process"
    REDIS_KILLED = "Redis killed"
    REDIS_FROZEN = "Redis frozen"
    REDIS_FLUSHED = "Redis flushed"
    REDIS_DEAF = "Redis frozen at an acknowledgement"
    POSTGRES = "PostgreSQL restarted"
    POOLER = "kill -9 of PgBouncer"
    HOST = "a host lost, and back"
    MAIL_FAILING = "mail provider answers 500"
    MAIL_BUSY = "mail provider answers 429"
    MAIL_HANGING = "mail provider hangs"
    MAIL_DROPPING = "mail provider accepts and drops"
    GATEWAY_FAILING = "gateway answers 500"
    GATEWAY_BUSY = "gateway answers 429"
    GATEWAY_CONFLICT = "gateway answers 409"
    GATEWAY_PROXY = "a proxy answers for the gateway"
    GATEWAY_HANGING = "gateway hangs"
    GATEWAY_LOST = "gateway's answers are lost"


LASTS = {  # seconds, from and to; a kill is over at once, and the supervisor's work begins
    Kind.REDIS_KILLED: (2.0, 4.0),
    Kind.REDIS_FROZEN: (2.0, 5.0),
    Kind.MAIL_FAILING: (2.0, 4.0),
    Kind.MAIL_BUSY: (2.0, 4.0),
    Kind.MAIL_HANGING: (2.0, 4.0),
    Kind.MAIL_DROPPING: (2.0, 4.0),
}
WEIGHTS = {
    Kind.WORKER: 4,
    Kind.CHILD: 5,
    Kind.BEAT: 2,
    Kind.WEB: 1,
    Kind.WEB_CHILD: 1,
    Kind.REDIS_KILLED: 1,
    Kind.REDIS_FROZEN: 1,
    Kind.REDIS_FLUSHED: 1,
    Kind.MAIL_FAILING: 1,
    Kind.MAIL_BUSY: 1,
    Kind.MAIL_HANGING: 1,
    Kind.MAIL_DROPPING: 2,
}
OF_GATEWAY = {  # how its fake calls them
    Kind.GATEWAY_FAILING: "500",
    Kind.GATEWAY_BUSY: "429",
    Kind.GATEWAY_CONFLICT: "409",
    Kind.GATEWAY_PROXY: "html",
    Kind.GATEWAY_HANGING: "hang",
    Kind.GATEWAY_LOST: "lost",
}
GATEWAY_EVERY = 4.0  # seconds between two troubles of a gateway, and
SELDOMER = 2.5  # how many times as long between two others then, and with rooms: in between things must go well
QUEUES = ("mail", "payments", "calls", "timers")
HOST_AWAY = 30.0  # seconds
DEAF_FOR = 8.0  # seconds: longer than the time-out of the workers' sockets
ROOM_FOR_DEAF = 60.0  # seconds of storm from which on each queue gets such a freeze; it takes long
EVERY = 2.5  # seconds between two faults, on average


@dataclass(frozen=True)
class Fault:
    """`at` and `seconds` count from the storm's beginning; `seed` decides which of several processes it hits."""

    at: float
    kind: Kind
    seconds: float
    seed: int
    queue: str = ""  # of REDIS_DEAF


def plan(
    seed: int,
    seconds: float,
    *,
    with_postgres: bool,
    with_pooler: bool = False,
    with_host: bool = False,
    with_gateway: bool = False,
    with_rooms: bool = False,
) -> list[Fault]:
    """Every kind at least once when there is room, PostgreSQL, its pooler and a host once; all is over in time."""
    chosen = random.Random(seed)
    kinds = list(WEIGHTS)
    chosen.shuffle(kinds)
    wanted = max(3, round(seconds / EVERY / (SELDOMER if with_gateway or with_rooms else 1)))
    kinds = kinds[:wanted] + chosen.choices(list(WEIGHTS), list(WEIGHTS.values()), k=max(0, wanted - len(kinds)))
    faults = [_drawn(kind, seconds, chosen) for kind in kinds]
    if with_postgres:
        faults.append(Fault(chosen.uniform(0.4, 0.7) * seconds, Kind.POSTGRES, 0.0, 0))
    if with_pooler:
        faults.append(Fault(random.Random(seed).uniform(0.15, 0.35) * seconds, Kind.POOLER, 0.0, 0))
    if with_host:
        faults.append(Fault(seconds / 2, Kind.HOST, min(HOST_AWAY, seconds / 3), 0))
    if with_gateway:
        faults += _of_gateway(random.Random(f"{seed} gateway"), seconds)
    if seconds >= ROOM_FOR_DEAF:
        turn = 0.9 * seconds / len(QUEUES)
        for number, queue in enumerate(chosen.sample(QUEUES, k=len(QUEUES))):
            begins = 0.05 * seconds + turn * (number + chosen.uniform(0.0, 0.6))
            faults.append(Fault(begins, Kind.REDIS_DEAF, DEAF_FOR, 0, queue))
    return sorted(faults, key=lambda fault: fault.at)


def _of_gateway(chosen: random.Random, seconds: float) -> list[Fault]:
    """Each trouble in turn, from a lot of its own."""
    kinds = list(OF_GATEWAY) * round(seconds / GATEWAY_EVERY / len(OF_GATEWAY) + 1)
    return [Fault(chosen.uniform(2.0, seconds), kind, 0.0, chosen.getrandbits(32)) for kind in kinds]


def _drawn(kind: Kind, seconds: float, chosen: random.Random) -> Fault:
    lasts = min(chosen.uniform(*LASTS.get(kind, (0.0, 0.0))), seconds / 3)
    return Fault(chosen.uniform(2.0, seconds - lasts), kind, lasts, chosen.getrandbits(32))
