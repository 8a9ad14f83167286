"""Reads the broker as kombu keeps it: never a whole queue, never longer than a moment.

kombu keeps a queue as one list per priority, filled on the left and emptied on the right, and what workers hold
unacknowledged in one hash for all queues, with a sorted set of delivery times: kombu/transport/redis.py.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from backend.core import broker_url
from backend.ops.broker_answer import Broker, CeleryQueue

ANSWER_WITHIN = 0.4  # seconds for each step; a hanging broker costs a page one of them
PRIORITIES = ("", "\x06\x163", "\x06\x166", "\x06\x169")  # what kombu appends to a queue's name
SENT_AT = "sent_at"  # the header in which a message says when it was sent, in seconds since the epoch
PROBE, PROBE_KEPT = "mindsettler.probe", 60  # a key that only shows that writing works, and its seconds
REFUSALS: dict[type[redis.RedisError], str] = {
    redis.exceptions.OutOfMemoryError: "it is full",
    redis.exceptions.ReadOnlyError: "it is a replica, or read-only",
    redis.exceptions.NoPermissionError: "its user may not write",
}
UNACKED_READ = 500  # of those that workers hold, the oldest; a healthy system has a handful


def read_broker(queues: Sequence[str], *, now: datetime) -> Broker:
    """Ask over a new connection, so that the answer is about now; two round trips."""
    try:
        with client() as connected:
            return _ask(connected, queues, now)
    except (redis.RedisError, OSError) as error:
        return Broker(is_reachable=False, trouble=type(error).__name__)


def client(*, within: float = ANSWER_WITHIN) -> redis.Redis:
    """Connects when it is first asked something; each step takes `within` seconds at most."""
    return redis.Redis.from_url(
        broker_url.read(settings.CELERY_BROKER_URL).redis,
        socket_timeout=within,
        socket_connect_timeout=within,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        driver_info=None,  # telling it would be one question more before the first answer
    )


def _ask(client: redis.Redis, queues: Sequence[str], now: datetime) -> Broker:
    lists = [queue + priority for queue in queues for priority in PRIORITIES]
    pipe: Any = client.pipeline(transaction=False)
    for name in lists:
        pipe.llen(name).lindex(name, -1)
    pipe.zrange("unacked_index", 0, UNACKED_READ - 1, withscores=True).info("memory").set(PROBE, "", ex=PROBE_KEPT)
    *answers, unacked, memory, written = pipe.execute(raise_on_error=False)
    for answer in (*answers, unacked):
        if isinstance(answer, redis.ResponseError):
            raise answer
    lengths, oldest = dict(zip(lists, answers[::2], strict=True)), dict(zip(lists, answers[1::2], strict=True))
    held = _held(client, unacked)
    found = []
    for queue in queues:
        names = [queue + priority for priority in PRIORITIES]
        delivered = held.get(queue, [])
        found.append(
            CeleryQueue(
                name=queue,
                ready=sum(lengths[name] for name in names),
                oldest_age=_age([sent_at(oldest[name]) for name in names], now),
                unacknowledged=len(delivered),
                oldest_unacknowledged_age=_age(delivered, now),
            )
        )
    return Broker(is_reachable=True, refusal=_refusal(written), evicts=_evicts(memory), queues=tuple(found))


def _evicts(memory: Any) -> bool | None:
    if isinstance(memory, redis.ResponseError):  # the account may not use INFO
        return None
    return bool(memory.get("maxmemory")) and memory.get("maxmemory_policy") != "noeviction"


def _refusal(written: object) -> str:
    if not isinstance(written, redis.RedisError):
        return ""
    return next((why for kind, why in REFUSALS.items() if isinstance(written, kind)), type(written).__name__)


def trouble(*, within: float) -> str | None:
    """Why a message cannot be left with the broker now, in one sentence; None when it can."""
    try:
        with client(within=within) as connected:
            connected.set(PROBE, "", ex=PROBE_KEPT)
    except (redis.RedisError, OSError) as error:
        return _refusal(error) if isinstance(error, tuple(REFUSALS)) else " ".join(str(error).split())
    return None


def _held(client: redis.Redis, unacked: list[tuple[bytes, float]]) -> dict[str, list[float]]:
    """Delivery times by queue; the value of the hash is `[message, exchange, routing key]`."""
    held: dict[str, list[float]] = {}
    values: Any = client.hmget("unacked", [tag for tag, _ in unacked]) if unacked else []
    for (_, delivered_at), value in zip(unacked, values, strict=True):
        at = instant(delivered_at)
        if at is not None and (queue := _queue_of(value)) is not None:
            held.setdefault(queue, []).append(at)
    return held


def _queue_of(value: bytes | None) -> str | None:
    """None: acknowledged between the two questions, or none of ours."""
    try:
        queue = json.loads(value or b"")[2]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return queue if isinstance(queue, str) else None


def sent_at(message: bytes | None) -> float | None:
    """When the message in this element of a list was sent; None if it does not say."""
    if message is None:
        return None
    try:
        said = json.loads(message)["headers"][SENT_AT]
    except (ValueError, LookupError, TypeError, RecursionError):  # not one of ours
        return None
    return instant(said)


def instant(said: Any) -> float | None:
    """Seconds since the epoch, whoever wrote them; None if no instant is so far away."""
    try:
        datetime.fromtimestamp(said, tz=UTC)
    except (ValueError, TypeError, ArithmeticError, OSError):
        return None
    return float(said)


def _age(instants: Sequence[float | None], now: datetime) -> timedelta | None:
    known = [instant for instant in instants if instant is not None]
    if not known:
        return None
    return max(timedelta(0), now - datetime.fromtimestamp(min(known), tz=UTC))
