"""Installs the beat table: new entries are added, unedited ones follow the code, edited ones are left alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from workers.models import InstalledDefault

Table = Mapping[str, tuple[str, timedelta]]


@transaction.atomic
def install(table: Table) -> list[str]:
    """Bring the database's schedule to `table`. Returns one line per change, for the release log."""
    report = []
    for name, (task, every) in table.items():
        existing = PeriodicTask.objects.select_related("interval").filter(name=name).first()
        if existing is None:
            report.append(f"added {name!r}")
        elif _was_edited(existing):
            report.append(f"left {name!r} as an operator set it")
            continue
        elif _digest(existing) == _digest_of(task, every):
            continue
        else:
            report.append(f"updated {name!r}")
        _write(name, task, every)
    for stale in InstalledDefault.objects.exclude(name__in=table):
        report.append(f"removed {stale.name!r}")
        PeriodicTask.objects.filter(name=stale.name).delete()
        stale.delete()
    if report:
        PeriodicTasks.update_changed()
    return report


def _write(name: str, task: str, every: timedelta) -> None:
    interval, _ = IntervalSchedule.objects.get_or_create(
        every=max(1, round(every.total_seconds())), period=IntervalSchedule.SECONDS
    )
    entry, _ = PeriodicTask.objects.update_or_create(
        name=name,
        defaults={"task": task, "interval": interval, "expire_seconds": None, "enabled": True},
    )
    InstalledDefault.objects.update_or_create(name=name, defaults={"digest": _digest(entry)})


def _was_edited(entry: PeriodicTask) -> bool:
    remembered = InstalledDefault.objects.filter(name=entry.name).first()
    return remembered is None or remembered.digest != _digest(entry)


def _digest(entry: PeriodicTask) -> str:
    interval = [entry.interval.every, entry.interval.period] if entry.interval else None
    return _hash([entry.task, interval, entry.expire_seconds, entry.enabled])


def _digest_of(task: str, every: timedelta) -> str:
    return _hash([task, [max(1, _seconds(every)), IntervalSchedule.SECONDS], None, True])


def _hash(values: list[object]) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def _seconds(span: timedelta) -> int:
    return round(span.total_seconds())
