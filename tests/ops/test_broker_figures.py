"""The snapshot tells what is in the broker at the moment of looking, whatever it answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from backend.ops import broker, findings
from backend.ops.findings import Level
from tests.support import system_health
from tests.support.system_health import degraded, take
from tests.support.valkey import Valkey
from workers import dependencies, mail, timers

# that the snapshot asks the broker, and not what its database answers
pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]


def celery_queue(now: datetime, name: str = "mail") -> broker.CeleryQueue:
    found = broker.read_broker(["mail", "payments", "calls", "timers"], now=now)
    assert found.is_reachable
    return next(queue for queue in found.queues if queue.name == name)


def test_waiting_messages_are_counted_in_every_priority(valkey: Valkey) -> None:
    valkey.publish(mail.drain, 3)
    valkey.publish(mail.drain, 2, priority=9)
    assert celery_queue(timezone.now()).ready == 5
    assert celery_queue(timezone.now(), "timers").ready == 0


def test_the_oldest_message_tells_its_age(valkey: Valkey) -> None:
    assert celery_queue(timezone.now()).oldest_age is None
    before = timezone.now()
    valkey.publish(mail.drain)
    valkey.publish(mail.drain)
    age = celery_queue(before + timedelta(minutes=5)).oldest_age
    assert age is not None
    assert timedelta(minutes=5) - (timezone.now() - before) <= age <= timedelta(minutes=5)


def test_what_workers_hold_is_counted_by_queue(valkey: Valkey) -> None:
    valkey.publish(mail.drain, 2)
    valkey.publish(timers.lapse_drafts)
    with valkey.take("mail"):
        later = timezone.now() + timedelta(minutes=1)
        held = celery_queue(later)
        assert (held.ready, held.unacknowledged) == (1, 1)
        assert held.oldest_unacknowledged_age is not None
        assert held.oldest_unacknowledged_age >= timedelta(minutes=1)
        assert celery_queue(later, "timers").unacknowledged == 0


def test_a_message_of_a_stranger_has_no_age(valkey: Valkey) -> None:
    for element in (b"no json", b"[]", b'{"headers": {}}', b'{"headers": {"sent_at": "soon"}}', b"\xff"):
        valkey.client.delete("mail")
        valkey.client.lpush("mail", element)
        assert (celery_queue(timezone.now()).ready, celery_queue(timezone.now()).oldest_age) == (1, None)


def test_a_broker_that_may_evict_is_a_finding(valkey: Valkey) -> None:
    assert not broker.read_broker(["mail"], now=timezone.now()).evicts
    valkey.client.config_set("maxmemory", "100mb")
    valkey.client.config_set("maxmemory-policy", "allkeys-lru")
    assert broker.read_broker(["mail"], now=timezone.now()).evicts


def test_a_broker_that_is_gone_or_frozen_is_unreachable(valkey: Valkey, settings) -> None:
    with valkey.frozen():
        assert broker.read_broker(["mail"], now=timezone.now()) == broker.Broker(False, "TimeoutError")
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    assert broker.read_broker(["mail"], now=timezone.now()) == broker.Broker(False, "ConnectionError")


@pytest.mark.parametrize(
    "garbage",
    [
        b"\xff",
        b"[" * 100_000,
        b"null",
        b'{"headers": null}',
        b'{"headers": []}',
        b'{"headers": {"sent_at": 1e300}}',
        b"[1]",
    ],
    ids=range(7),
)
def test_garbage_in_the_broker_hides_nothing_from_operators(garbage: bytes, valkey: Valkey, now: datetime) -> None:
    valkey.client.lpush("mail", garbage)
    valkey.client.hset("unacked", "tag", garbage)
    valkey.client.zadd("unacked_index", {"tag": now.timestamp()})
    read = broker.read_broker(["mail"], now=now)
    assert read.is_reachable
    assert [(queue.ready, queue.oldest_age, queue.unacknowledged) for queue in read.queues] == [(1, None, 0)]


def full(valkey: Valkey) -> None:
    valkey.client.config_set("maxmemory", "1")


def a_replica(valkey: Valkey) -> None:
    valkey.client.replicaof("127.0.0.1", "1")


def closed(valkey: Valkey) -> None:
    valkey.client.acl_setuser("default", enabled=True, nopass=True, categories=["+@all"], commands=["-set"])


@pytest.mark.parametrize(("make", "why"), [(full, "full"), (a_replica, "replica"), (closed, "may not write")])
def test_a_broker_that_takes_no_message_is_a_finding_and_not_there_for_a_release(
    make: Callable[[Valkey], None], why: str, valkey: Valkey, now: datetime
) -> None:
    system_health.healthy(now=now)
    assert degraded(now) == []
    make(valkey)
    [finding] = [f for f in findings.judge(take(now)) if f.component == "broker"]
    assert finding.level is Level.DEGRADED
    assert why in finding.text
    assert why in (dependencies.BROKER.trouble() or "")


def test_a_broker_that_hides_its_memory_is_well_apart_from_that(valkey: Valkey, now: datetime) -> None:
    system_health.healthy(now=now)
    valkey.client.acl_setuser("default", enabled=True, nopass=True, categories=["+@all"], commands=["-info"])
    [finding] = [f for f in findings.judge(take(now)) if f.component == "broker"]
    assert finding.level is Level.WARNING
    assert "INFO" in finding.advice
