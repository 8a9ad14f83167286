"""Beat under clocks that step back and on the nights when they change: it goes on, and sends nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from celery.beat import ScheduleEntry
from django.conf import settings as django_settings
from django_celery_beat.models import CrontabSchedule, PeriodicTask
from kombu.utils import symbol_by_name

from workers import schedule
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
    with time_machine.travel(now, tick=False) as clock:
        schedule.install(TABLE, expires=timedelta(minutes=1))
        yield clock


def test_beat_sends_each_entry_at_its_interval(clock: time_machine.Traveller) -> None:
    assert Beat().run(clock, 60) == {"drain": 60, "sweep": 6, "purge": 1}


def test_a_clock_that_steps_back_does_not_stop_beat_and_sends_each_entry_once_too_often_at_most(
    clock: time_machine.Traveller,
) -> None:
    beat = Beat()
    beat.run(clock, 60)
    clock.shift(-TWO_HOURS)
    assert_goes_on(beat.run(clock, 60))


def test_a_beat_that_starts_after_the_step_does_not_wait_for_the_old_time(clock: time_machine.Traveller) -> None:
    beat = Beat()
    beat.run(clock, 60)
    beat.sync()
    assert not PeriodicTask.objects.filter(last_run_at=None).exists()
    clock.shift(-TWO_HOURS)
    assert_goes_on(Beat().run(clock, 60))


def assert_goes_on(sent: Counter[str]) -> None:
    """What a minute brings, and at most one of each beside it."""
    for name, usual in {"drain": 60, "sweep": 6, "purge": 1}.items():
        assert usual <= sent[name] <= usual + 1, sent


def test_a_disabled_entry_stays_silent_after_the_step(clock: time_machine.Traveller) -> None:
    beat = Beat()
    beat.run(clock, 60)
    beat.sync()
    clock.shift(-TWO_HOURS)
    PeriodicTask.objects.filter(name="sweep").update(enabled=False)
    assert "sweep" not in beat.run(clock, 60)


def test_an_operators_entry_of_a_fixed_hour_waits_for_that_hour_after_the_step(clock: time_machine.Traveller) -> None:
    at_five, _ = CrontabSchedule.objects.get_or_create(minute="0", hour="5", timezone="UTC")  # tests begin at 4:30
    PeriodicTask.objects.create(name="daily", task="workers.timers.purge_links", crontab=at_five)
    beat = Beat()
    assert beat.run(clock, 31, step=timedelta(minutes=1))["daily"] == 1
    clock.shift(-TWO_HOURS)
    assert beat.run(clock, 118, step=timedelta(minutes=1))["daily"] == 0
    assert beat.run(clock, 3, step=timedelta(minutes=1))["daily"] == 1


def test_an_operators_edit_after_the_step_is_noticed(clock: time_machine.Traveller) -> None:
    beat = Beat()
    beat.run(clock, 10)
    schedule.install({**TABLE, "sweep": (TABLE["sweep"][0], timedelta(seconds=5))}, expires=timedelta(minutes=1))
    beat.run(clock, 10)
    clock.shift(-TWO_HOURS)
    beat.run(clock, 10)
    schedule.install({**TABLE, "sweep": (TABLE["sweep"][0], SECOND)}, expires=timedelta(minutes=1))
    assert beat.run(clock, 10)["sweep"] >= 9


@pytest.mark.parametrize("night", [FALL_BACK, SPRING_FORWARD])
def test_the_nights_when_clocks_change_are_nights_like_others(
    night: datetime, clock: time_machine.Traveller, settings
) -> None:
    settings.TIME_ZONE = settings.PRACTICE_TIME_ZONE = "America/New_York"
    clock.move_to(night - timedelta(minutes=130))
    PeriodicTask.objects.update(date_changed=night - timedelta(minutes=130))
    sent = Beat().run(clock, 65, step=timedelta(minutes=4))
    assert sent == {"drain": 65, "sweep": 65, "purge": 65}
