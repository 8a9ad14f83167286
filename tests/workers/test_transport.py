"""The way through Redis: neither a frozen broker nor garbage stops a worker, and a queue never grows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from kombu import Connection

from tests.support.valkey import Valkey
from workers import canary, transport

pytestmark = pytest.mark.sqlite_only
QUEUES = ("mail", "payments", "calls", "timers")


@pytest.fixture
def connection(valkey: Valkey) -> Iterator[Connection]:
    """As a worker's, with a shorter patience."""
    with Connection(valkey.url, transport_options={"socket_timeout": 0.3}) as connection:
        yield connection


def listen(connection: Connection, queue: str) -> tuple[Any, list[Any]]:
    """A consumer that prefetches one message, and what it was given."""
    channel, heard = connection.channel(), []
    channel.basic_qos(0, 1, False)
    simple = connection.SimpleQueue(queue, channel=channel)
    simple.consumer.cancel()
    channel.basic_consume(queue, no_ack=False, callback=heard.append, consumer_tag="test")
    return channel, heard


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("settle", ["ack", "reject"])
def test_an_acknowledgement_that_a_frozen_broker_does_not_hear_leaves_the_worker_able_to_take_more(
    queue: str, settle: str, connection: Connection, valkey: Valkey
) -> None:
    channel, heard = listen(connection, queue)
    valkey.publish(getattr(canary, queue))
    connection.drain_events(timeout=5)
    assert not channel.qos.can_consume()
    with valkey.frozen(), pytest.raises(redis.TimeoutError):
        getattr(heard[0], settle)()
    assert channel.qos.can_consume()


GARBAGE = [
    b"\xff\xfe\x00garbage",
    b"",
    b"[" * 100_000,
    b"null",
    b"[1, 2]",
    b"{}",
    b'{"properties": null}',
    b'{"properties": {"delivery_tag": "1"}}',
    b'{"properties": {"delivery_tag": "1", "delivery_info": []}, "body": "e30="}',
    b'{"properties": {"delivery_tag": "1", "body_encoding": "base64"}, "body": "!"}',
    b'{"__type__": "uuid", "__value__": {}}',
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=range(len(GARBAGE)))
def test_what_is_no_message_is_passed_over_and_told(
    garbage: bytes, connection: Connection, valkey: Valkey, monkeypatch
) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(transport, "_listeners", [lambda queue, reason: told.append((queue, reason))])
    _, heard = listen(connection, "mail")
    valkey.client.lpush("mail", garbage)
    valkey.publish(canary.mail)
    connection.drain_events(timeout=5)
    assert [queue for queue, _ in told] == ["mail"]
    assert len(heard) == 1


def test_of_a_message_whose_handling_breaks_nothing_is_held(connection: Connection, valkey: Valkey) -> None:
    channel, _ = listen(connection, "mail")

    def broken(_message: object) -> None:
        raise TypeError

    channel.basic_cancel("test")
    channel.basic_consume("mail", no_ack=False, callback=broken, consumer_tag="test")
    valkey.publish(canary.mail)
    with pytest.raises(TimeoutError):
        connection.drain_events(timeout=0.5)
    assert channel.qos.can_consume()
    assert not valkey.client.exists("unacked")


def test_a_queue_keeps_the_newest_wake_ups_alone(valkey: Valkey) -> None:
    valkey.publish(canary.mail, times=transport.MOST + 20)
    assert valkey.client.llen("mail") == transport.MOST
    assert canary.mail.name.encode() in valkey.client.lindex("mail", -1)
