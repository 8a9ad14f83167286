"""The watch in a worker's parent: it tells a worker that cannot hear from one whom nobody wakes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kombu import Connection

from backend.ops.models import IncidentKind, ProcessRole, QueueIncident
from tests.support.valkey import Valkey
from workers import canary, hearing
from workers.echo import Echo
from workers.hearing import Hearing
from workers.watch import Watch

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db(transaction=True)]
QUIET, DEAF, ALONE = hearing.QUIET_AFTER, hearing.DEAF_AFTER, hearing.ALONE_AFTER


class Switch:
    """Stands where a process would be started and stopped."""

    is_on = False

    def start(self) -> bool:
        was_on, self.is_on = self.is_on, True
        return not was_on

    def stop(self, *, within: float = 0.0) -> bool:
        was_on, self.is_on = self.is_on, False
        return was_on


@pytest.fixture
def connection(valkey: Valkey) -> Iterator[Connection]:
    with Connection(valkey.url, transport_options={"socket_timeout": 0.3}) as connection:
        yield connection


@pytest.fixture
def watch() -> Watch:
    """Of an idle worker that heard something at 0."""
    watch = Watch(
        ProcessRole.MAIL,
        Echo(lambda: watch.hearing.heard(clock[0])),
        Switch(),  # type: ignore[arg-type]
        Hearing(0.0, 0.0),
        is_busy=lambda: False,
    )
    return watch


clock = [0.0]


def listening(connection: Connection, watch: Watch) -> Any:
    """A channel as Celery's consumer has it, with a prefetch count of one."""
    channel = connection.channel()
    channel.basic_qos(0, 1, False)
    queue = connection.SimpleQueue("mail", channel=channel)
    queue.consumer.cancel()
    channel.basic_consume("mail", no_ack=False, callback=lambda _message: None, consumer_tag="test")
    watch.echo.listen(channel)
    return channel


def test_a_worker_whom_nobody_wakes_hears_itself_and_is_not_deaf(connection: Connection, watch: Watch) -> None:
    listening(connection, watch)
    for second in range(1, 40):
        clock[0] = float(second)
        assert not watch.look(second)
        if watch.hearing.unanswered_since is not None:
            connection.drain_events(timeout=5)
    assert watch.stand_in.is_on  # type: ignore[attr-defined]


def test_a_worker_that_may_take_no_more_is_deaf_although_the_broker_answers(
    connection: Connection, watch: Watch, valkey: Valkey
) -> None:
    channel = listening(connection, watch)
    valkey.publish(canary.mail)
    connection.drain_events(timeout=5)  # and nothing acknowledges it
    assert not channel.qos.can_consume()
    assert not watch.look(QUIET)
    with pytest.raises(TimeoutError):
        connection.drain_events(timeout=0.3)
    assert not watch.look(QUIET + DEAF - 1)
    assert watch.look(QUIET + DEAF)


def test_a_worker_at_work_need_not_hear_as_long_as_work_may_take(watch: Watch, connection: Connection) -> None:
    listening(connection, watch)
    watch.is_busy = lambda: True
    watch.hearing.woken(0.0)
    at_work = range(int(hearing.WORKS_AT_MOST))
    assert not any(watch.look(second) for second in at_work)
    assert not watch.stand_in.is_on  # type: ignore[attr-defined]
    assert any(watch.look(second) for second in range(at_work.stop, at_work.stop + int(QUIET + DEAF) + 1))


def test_what_celery_believes_in_hand_while_it_connects_is_no_work(watch: Watch, valkey: Valkey) -> None:
    watch.is_busy = lambda: True
    watch.hearing.woken(0.0)
    with valkey.frozen():
        watch.look(ALONE)
    assert watch.stand_in.is_on  # type: ignore[attr-defined]


@pytest.mark.parametrize("second", [100.0, 1000.0])
def test_while_the_broker_is_away_nobody_is_deaf_and_the_worker_works_by_itself(
    second: float, watch: Watch, valkey: Valkey
) -> None:
    with valkey.frozen():
        assert not watch.look(QUIET)
        assert not watch.stand_in.is_on  # type: ignore[attr-defined]
        assert not watch.look(second)
        assert watch.stand_in.is_on  # type: ignore[attr-defined]
    watch.hearing.woken(second)
    assert not watch.look(second + 1)
    assert not watch.stand_in.is_on  # type: ignore[attr-defined]


def test_while_celery_connects_anew_it_gets_longer(watch: Watch, valkey: Valkey) -> None:
    assert not watch.look(QUIET)
    assert not watch.look(QUIET + hearing.DEAF_WHILE_CONNECTING - 1)
    assert watch.look(QUIET + hearing.DEAF_WHILE_CONNECTING)


def test_what_a_worker_calls_to_itself_is_forgotten(watch: Watch, valkey: Valkey) -> None:
    assert watch.echo.call()
    assert 0 < valkey.client.ttl(watch.echo.name) <= 60


def test_discarded_messages_are_counted_for_operators(watch: Watch, valkey: Valkey) -> None:
    for _ in range(3):
        watch.discarded("mail", "JSONDecodeError")
    watch.look(0.0)
    watch.discarded("mail", "KeyError")
    watch.look(0.0)
    row = QueueIncident.objects.get()
    assert (row.queue, row.kind, row.count) == (ProcessRole.MAIL, IncidentKind.DISCARDED, 4)
