"""The beat table: installed, kept up to date, never over an operator's edit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from config import schedule as table
from workers import schedule
from workers.app import app

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]
ONE = {"drain mail": ("workers.mail.drain", timedelta(seconds=1))}


def test_the_table_is_installed_once() -> None:
    assert schedule.install(ONE) == ["added 'drain mail'"]
    assert schedule.install(ONE) == []
    entry = PeriodicTask.objects.get()
    assert (entry.task, entry.interval.every, entry.interval.period) == ("workers.mail.drain", 1, "seconds")
    assert entry.expire_seconds is None  # that would be judged by two machines' clocks


def test_an_entry_nobody_edited_follows_the_code() -> None:
    schedule.install(ONE)
    changed = {"drain mail": ("workers.mail.drain", timedelta(seconds=5))}
    assert schedule.install(changed) == ["updated 'drain mail'"]
    assert PeriodicTask.objects.get().interval.every == 5


@pytest.mark.parametrize("edit", ["interval", "disabled"])
def test_an_edited_entry_is_left_alone(edit: str) -> None:
    schedule.install(ONE)
    entry = PeriodicTask.objects.get()
    if edit == "interval":
        entry.interval = IntervalSchedule.objects.create(every=9, period="seconds")
    else:
        entry.enabled = False
    entry.save()
    changed = {"drain mail": ("workers.mail.drain", timedelta(seconds=5))}
    assert schedule.install(changed) == ["left 'drain mail' as an operator set it"]
    kept = PeriodicTask.objects.get()
    assert (kept.interval.every, kept.enabled) == ((9, True) if edit == "interval" else (1, False))


def test_an_entry_that_left_the_table_is_removed() -> None:
    schedule.install(ONE)
    assert schedule.install({}) == ["removed 'drain mail'"]
    assert not PeriodicTask.objects.exists()


def test_an_operators_own_entry_is_never_touched() -> None:
    interval = IntervalSchedule.objects.create(every=9, period="seconds")
    PeriodicTask.objects.create(name="mine", task="workers.mail.drain", interval=interval)
    schedule.install(ONE)
    schedule.install({})
    assert [entry.name for entry in PeriodicTask.objects.all()] == ["mine"]


def test_every_entry_of_the_table_names_a_task_that_exists_and_is_routed() -> None:
    app.loader.import_default_modules()
    for task, _ in table.TABLE.values():
        assert task in app.tasks
        assert app.amqp.router.route({}, task)["queue"].name == task.split(".")[1]


def test_the_table_fits_what_beat_reads() -> None:
    schedule.install(table.TABLE)
    assert PeriodicTask.objects.count() == len(table.TABLE)
