"""Beat on the nights when clocks change, and under a clock that is set back: it is missed, and a restart mends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from celery.beat import ScheduleEntry
from django.conf import settings as django_settings
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask
from kombu.utils import symbol_by_name

from backend.ops import health
from workers import heartbeat, schedule
from workers.app import app

pytestmark = [
    pytest.mark.postgres_only,
    pytest.mark.django_db(transaction=True),  # the scheduler commits, and closes old connections
]
SECOND = timedelta(seconds=1)
TWO_HOURS = timedelta(hours=2)
SCHEDULER = symbol_by_name(django_settings.CELERY_BEAT_SCHEDULER)
TABLE = {
    "drain": ("workers.mail.drain", SECOND),
    "sweep": ("workers.timers.lapse_drafts", timedelta(seconds=10)),
    "purge": ("workers.timers.purge_drafts", timedelta(minutes=1)),
}
FALL_BACK = datetime(2026, 11, 1, 6, tzinfo=UTC)  # 2:00 becomes 1:00 in New York
SPRING_FORWARD = datetime(2027, 3, 14, 7, tzinfo=UTC)  # 2:00 becomes 3:00


class Beat(SCHEDULER):  # type: ignore[misc, valid-type] # the class that beat runs, by its setting
    """The real scheduler with its clock in our hands; what it would send is noted."""

    producer = None

    def __init__(self) -> None:
        self.sent: list[str] = []
        super().__init__(app=app)
        self._finalize.cancel()  # nothing is to be saved when Python ends

    def apply_entry(self, entry: ScheduleEntry, producer: object = None) -> None:
        self.sent.append(entry.name)

    def run(self, clock: time_machine.Traveller, steps: int, step: timedelta = SECOND) -> Counter[str]:
        """Let it look at the table after each of so many steps; how often it sent what."""
        self.sent.clear()
        for _ in range(steps):
            clock.shift(step)
            for _entry in range(20):  # one tick sends one entry
                if self.tick() > 0:
                    break
        return Counter(self.sent)


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
