"""The processes, and the history of timers, read-only."""

from __future__ import annotations

from django.contrib import admin

from backend.core.admin_pages import ReadOnly
from backend.core.formatting import short_day_and_time
from backend.ops.models import Process, TimerRun


@admin.register(TimerRun)
class TimerRunAdmin(ReadOnly, admin.ModelAdmin[TimerRun]):
    list_display = ["timer", "started", "finished", "examined", "changed", "failed", "error", "asked_by"]
    list_filter = ["timer", ("started_at", admin.DateFieldListFilter)]
    search_fields = ["=timer", "error", "asked_by", "=correlation_id"]
    search_help_text = "Timer, error, who asked or correlation id"
    show_full_result_count = False
    list_per_page = 50
    fields = ["timer", "started", "finished", "examined", "changed", "failed", "error", "asked_by", "correlation_id"]

    @admin.display(description="started", ordering="started_at")
    def started(self, run: TimerRun) -> str:
        return short_day_and_time(run.started_at)

    @admin.display(description="finished")
    def finished(self, run: TimerRun) -> str:
        return short_day_and_time(run.finished_at)


@admin.register(Process)
class ProcessAdmin(ReadOnly, admin.ModelAdmin[Process]):
    list_display = ["name", "role", "seen"]
    list_filter = ["role"]
    fields = ["name", "role", "seen"]

    @admin.display(description="last sign of life", ordering="seen_at")
    def seen(self, process: Process) -> str:
        return short_day_and_time(process.seen_at)
