"""Beat on the nights when clocks change, and under a clock that is set back: it is missed, and a restart mends it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule

from backend.ops import health
from backend.outbox import messages
from backend.outbox.models import Queue
from tests.support.beat import Beat
from workers import early, heartbeat, schedule

pytestmark = [
    pytest.mark.postgres_only,
    pytest.mark.django_db(transaction=True),  # the scheduler commits, and closes old connections
]
SECOND = timedelta(seconds=1)
TWO_HOURS = timedelta(hours=2)
TABLE = {
    "drain": ("workers.mail.drain", SECOND),
    "sweep": ("workers.timers.lapse_drafts", timedelta(seconds=10)),
    "purge": ("workers.timers.purge_drafts", timedelta(minutes=1)),
}
FALL_BACK = datetime(2026, 11, 1, 6, tzinfo=UTC)  # 2:00 becomes 1:00 in New York
SPRING_FORWARD = datetime(2027, 3, 14, 7, tzinfo=UTC)  # 2:00 becomes 3:00


@pytest.fixture
def clock(now: datetime) -> Iterator[time_machine.Traveller]:
    heartbeat._said_at.clear()
    with time_machine.travel(now, tick=False) as clock:
        schedule.install(TABLE)
        yield clock


def test_beat_sends_each_entry_at_its_interval(clock: time_machine.Traveller) -> None:
    assert Beat().run(clock, 60) == {"drain": 60, "sweep": 6, "purge": 1}


def test_a_beat_whose_clock_was_set_back_sends_nothing_and_is_missed(clock: time_machine.Traveller) -> None:
    beat = Beat()
    beat.run(clock, 60)
    assert is_alive()
    clock.shift(-TWO_HOURS)
    assert beat.run(clock, 60) == {}
    assert not is_alive()


def test_a_beat_that_starts_after_that_goes_on_and_sends_nothing_twice(clock: time_machine.Traveller) -> None:
    beat = Beat()
    beat.run(clock, 60)
    beat.sync()
    assert not PeriodicTask.objects.filter(last_run_at=None).exists()
    clock.shift(-TWO_HOURS)
    assert Beat().run(clock, 60) == {"drain": 60, "sweep": 6, "purge": 1}
    assert is_alive()


def test_an_operators_entry_of_a_fixed_hour_waits_for_that_hour_then(clock: time_machine.Traveller) -> None:
    at_five, _ = CrontabSchedule.objects.get_or_create(minute="0", hour="5", timezone="UTC")  # tests begin at 4:30
    PeriodicTask.objects.create(name="daily", task="workers.timers.purge_links", crontab=at_five)
    beat = Beat()
    assert beat.run(clock, 31, step=timedelta(minutes=1))["daily"] == 1
    beat.sync()
    clock.shift(-TWO_HOURS)
    beat = Beat()
    assert beat.run(clock, 118, step=timedelta(minutes=1))["daily"] == 0
    assert beat.run(clock, 3, step=timedelta(minutes=1))["daily"] == 1


def is_alive() -> bool:
    """Whether operators see that beat is at work."""
    [sign] = health.processes(now=timezone.now())
    return sign.is_alive


@pytest.mark.parametrize("night", [FALL_BACK, SPRING_FORWARD])
def test_the_nights_when_clocks_change_are_nights_like_others(
    night: datetime, clock: time_machine.Traveller, settings
) -> None:
    settings.TIME_ZONE = settings.PRACTICE_TIME_ZONE = "America/New_York"
    clock.move_to(night - timedelta(minutes=130))
    PeriodicTask.objects.update(date_changed=night - timedelta(minutes=130))
    sent = Beat().run(clock, 65, step=timedelta(minutes=4))
    assert sent == {"drain": 65, "sweep": 65, "purge": 65}


def test_what_fell_due_while_the_broker_was_away_is_sent_at_once_when_it_is_back(clock: time_machine.Traveller) -> None:
    beat = Beat()
    beat.run(clock, 1)
    beat.broker_is_away = True
    assert beat.run(clock, 65) == {}
    beat.broker_is_away = False
    sent = beat.run(clock, 1)
    assert (sent["sweep"], sent["purge"]) == (1, 1)
    assert sent["drain"] == 2  # the one of then, and the one of now


def test_a_beat_that_starts_anew_sends_what_its_forerunner_could_not(clock: time_machine.Traveller) -> None:
    PeriodicTask.objects.exclude(name="purge").delete()
    beat = Beat()
    beat.broker_is_away = True
    assert beat.run(clock, 61) == {}
    beat.sync()
    assert Beat().run(clock, 1) == {"purge": 1}


def broken(**values: object) -> None:
    """An entry that no form of the admin would let through."""
    interval, _ = IntervalSchedule.objects.get_or_create(every=1, period="seconds")
    entry = PeriodicTask.objects.create(name="broken", task="workers.timers.purge_links", interval=interval)
    PeriodicTask.objects.filter(pk=entry.pk).update(**values)


def with_solar() -> None:
    broken(interval=None, solar=SolarSchedule.objects.create(event="sunrise", latitude=18, longitude=73))


def with_crontab(**values: object) -> None:
    crontab = CrontabSchedule.objects.create(minute="0", hour="5", timezone="UTC")
    for column, value in values.items():  # past the checks of the model
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {CrontabSchedule._meta.db_table} SET {column} = %s", [value])
    broken(interval=None, crontab=crontab)


@pytest.mark.parametrize(
    "write",
    [
        with_solar,
        lambda: with_crontab(hour="of the wolf"),
        lambda: with_crontab(timezone="Nowhere/Land"),
        lambda: broken(headers="["),
        lambda: broken(headers="[]"),
        lambda: broken(args="["),
        lambda: broken(interval=None),
        lambda: IntervalSchedule.objects.filter(pk=broken_interval()).update(period="fortnights"),
    ],
    ids=["solar", "crontab", "time zone", "headers", "headers' kind", "arguments", "no kind", "period"],
)
def test_an_entry_that_does_not_work_is_named_and_the_others_go_on(
    write: Callable[[], object], clock: time_machine.Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    write()
    assert Beat().run(clock, 10) == {"drain": 10, "sweep": 1}
    assert "broken" in caplog.text


def broken_interval() -> int:
    interval = IntervalSchedule.objects.create(every=7, period="seconds")
    broken(interval=interval)
    return interval.pk


def test_without_a_database_beat_goes_on_and_says_so_once_a_minute(
    clock: time_machine.Traveller, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat = Beat()
    beat.run(clock, 1)

    def refuse() -> None:
        raise OperationalError

    connection.close()
    monkeypatch.setattr(connection, "connect", refuse)
    monkeypatch.setattr("workers.beat.PAUSE", 0.0)  # so that each tick asks
    assert beat.run(clock, 85)["drain"] == 85
    assert len(caplog.text) < 1000
    monkeypatch.undo()
    assert beat.run(clock, 1)["drain"] == 1


SOON = timedelta(seconds=0.2)  # before the next wake-up of the table


def owe(queue: Queue = Queue.MAIL) -> None:
    with transaction.atomic():
        messages.emit(queue=queue, kind="x", dedupe_key="k", now=timezone.now())


@pytest.fixture
def looks_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each tick looks who owes something: the time between two looks is of the monotonic clock."""
    monkeypatch.setattr("workers.early.LOOK_EVERY", 0.0)


@pytest.mark.usefixtures("looks_always")
def test_a_queue_that_owes_something_new_is_woken_before_its_turn(clock: time_machine.Traveller) -> None:
    beat = Beat()
    beat.run(clock, 1)
    assert beat.run(clock, 1, step=SOON) == {}
    owe()
    assert beat.run(clock, 1, step=SOON) == {"drain": 1}
    assert beat.run(clock, 1, step=SOON) == {}  # it is known
    assert beat.run(clock, 1)["drain"] == 1  # the table goes on as if nothing had been


@pytest.mark.usefixtures("looks_always")
@pytest.mark.parametrize("change", [{"enabled": False}, {"task": "workers.payments.drain"}], ids=["disabled", "other"])
def test_a_queue_that_the_table_does_not_wake_is_not_woken_early_either(
    change: dict[str, object], clock: time_machine.Traveller
) -> None:
    PeriodicTask.objects.filter(name="drain").update(**change)
    beat = Beat()
    beat.run(clock, 1)
    owe()
    assert beat.run(clock, 1, step=SOON) == {}


@pytest.mark.usefixtures("looks_always")
def test_what_cannot_be_sent_early_is_left_to_the_table(clock: time_machine.Traveller) -> None:
    beat = Beat()
    beat.run(clock, 1)
    owe()
    beat.broker_is_away = True
    assert beat.run(clock, 1, step=SOON) == {}
    beat.broker_is_away = False
    assert beat.run(clock, 1)["drain"] == 1


def test_a_look_that_fails_ends_nothing(clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_given: object) -> set[Queue]:
        raise OperationalError

    beat = Beat()
    monkeypatch.setattr("workers.early.queues_with_fresh_work", fail)
    assert beat.run(clock, 10)["drain"] == 10
    assert beat._look.pause() > 0.5  # not again ten times a second


def test_beat_sleeps_no_longer_than_until_its_next_look(clock: time_machine.Traveller) -> None:
    PeriodicTask.objects.exclude(name="purge").delete()
    beat = Beat()
    beat.run(clock, 1)
    assert 0 <= beat.tick() <= early.LOOK_EVERY


@pytest.mark.usefixtures("looks_always")
@pytest.mark.parametrize(
    "asked",
    [
        "workers.early.queues_with_fresh_work",
        "workers.beat.heartbeat.record",
        "django_celery_beat.models.PeriodicTasks.last_change",
    ],
    ids=["look", "sign of life", "table"],
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_beat_that_is_told_to_stop_ends_what_it_asks_the_database_first(
    number: int, asked: str, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Celery's handler writes into the database: in the midst of a query it would wait for this for ever."""
    told: list[str] = []

    def ask(*_: object, **__: object) -> tuple[()]:
        os.kill(os.getpid(), number)
        told.append("asked")
        return ()

    monkeypatch.setattr("workers.beat.PAUSE", 0.0)  # so that each tick asks for changes of the table
    beat = Beat()
    beat.run(clock, 1)
    monkeypatch.setattr(asked, ask)
    usual = signal.signal(number, lambda *_: told.append("stopped"))
    try:
        beat.run(clock, 2)
    finally:
        signal.signal(number, usual)
    assert told[:2] == ["asked", "stopped"]


def test_a_second_word_to_stop_waits_for_the_end_of_the_first(
    clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    beat, told = Beat(), list[str]()

    def remove(_name: str) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        told.append("removed")

    monkeypatch.setattr("workers.beat.heartbeat.remove", remove)
    usual = signal.signal(signal.SIGTERM, lambda *_: told.append("stopped"))
    try:
        beat.close()
    finally:
        signal.signal(signal.SIGTERM, usual)
    assert told == ["removed", "stopped"]
