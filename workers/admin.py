"""The schedule in the admin, without what nobody needs: sunrises, single moments, and wake-ups that expire."""

from __future__ import annotations

from django.contrib import admin
from django_celery_beat.admin import PeriodicTaskAdmin
from django_celery_beat.models import ClockedSchedule, PeriodicTask, SolarSchedule

NOT_OFFERED = ("solar", "clocked", "one_off", "expires", "expire_seconds")

for model in (SolarSchedule, ClockedSchedule, PeriodicTask):
    admin.site.unregister(model)


@admin.register(PeriodicTask)
class ScheduleEntryAdmin(PeriodicTaskAdmin):  # type: ignore[misc] # the library has no types
    """An interval or a crontab, and no more."""

    exclude = NOT_OFFERED
    list_display = ("name", "enabled", "interval", "crontab", "last_run_at")
    list_filter = ("enabled", "task")
    fieldsets = tuple(
        (title, {**options, "fields": tuple(field for field in options["fields"] if field not in NOT_OFFERED)})
        for title, options in PeriodicTaskAdmin.fieldsets
    )
