"""The schedule's pages offer what beat here can do."""

from __future__ import annotations

import pytest
from django.urls import NoReverseMatch, reverse
from django_celery_beat.models import PeriodicTask

from config import schedule as table
from tests.support.admin_site import owner
from workers import schedule
from workers.admin import NOT_OFFERED

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]


def test_an_entry_is_an_interval_or_a_crontab() -> None:
    schedule.install(table.TABLE)
    entry = PeriodicTask.objects.get(name="purge links")
    page = owner().get(reverse("admin:django_celery_beat_periodictask_change", args=[entry.pk]))
    offered = set(page.context["adminform"].form.fields)
    assert {"interval", "crontab", "enabled"} <= offered
    assert not offered & set(NOT_OFFERED)


@pytest.mark.parametrize("kind", ["solarschedule", "clockedschedule"])
def test_other_kinds_have_no_page(kind: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(f"admin:django_celery_beat_{kind}_changelist")
