"""What people asked about their data, and what became of it: with it the practice shows that it answered, and when."""

from __future__ import annotations

from django.contrib import admin

from backend.bookings import actors
from backend.bookings.models import DataRequest
from backend.core.admin_pages import ReadOnly
from backend.core.formatting import short_day_and_time

SHOWN = ("kind", "state", "booking", "who", "asked", "answer_by", "due", "waits_for", "closed")


@admin.register(DataRequest)
class DataRequestAdmin(ReadOnly, admin.ModelAdmin[DataRequest]):
    """Names nobody: the booking does, until its person is erased."""

    list_display = SHOWN
    list_filter = ["kind", "state"]
    list_select_related = ["booking"]
    search_fields = ["booking__acknowledgement_id"]
    search_help_text = "Acknowledgement id"
    show_full_result_count = False
    fields = readonly_fields = SHOWN

    @admin.display(description="asked by", ordering="asked_by")
    def who(self, request: DataRequest) -> str:
        return actors.describe(request.asked_by)

    @admin.display(description="asked", ordering="asked_at")
    def asked(self, request: DataRequest) -> str:
        return short_day_and_time(request.asked_at)

    @admin.display(description="answer by", ordering="deadline")
    def answer_by(self, request: DataRequest) -> str:
        return short_day_and_time(request.deadline)

    @admin.display(description="done on, at the earliest", ordering="due_at")
    def due(self, request: DataRequest) -> str:
        return short_day_and_time(request.due_at)

    @admin.display(description="closed", ordering="closed_at")
    def closed(self, request: DataRequest) -> str:
        return short_day_and_time(request.closed_at)
