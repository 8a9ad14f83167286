"""The ledger, revealed numbers and the held slots, read-only; the closed days, which staff edit."""

from __future__ import annotations

from django.contrib import admin

from backend.bookings.models import ClosedDay, Disclosure, LedgerEntry, SlotClaim
from backend.core.admin_pages import ReadOnly
from backend.core.formatting import short_day_and_time
from backend.desk.display import badge


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnly, admin.ModelAdmin[LedgerEntry]):
    list_display = ["time", "booking", "sequence", "intent", "source", "result", "reason", "actor"]
    list_display_links = ["time"]
    list_filter = ["target", ("at", admin.DateFieldListFilter)]
    list_select_related = ["booking"]
    ordering = ["-id"]
    search_fields = ["=booking__acknowledgement_id", "actor", "intent", "correlation_id"]
    search_help_text = "Acknowledgement id, actor or intent"
    show_full_result_count = False
    list_per_page = 50
    fields = [
        "booking", "sequence", "time", "intent", "source", "target", "reason", "actor", "details", "correlation_id",
    ]  # fmt: skip

    @admin.display(description="at", ordering="at")
    def time(self, entry: LedgerEntry) -> str:
        return short_day_and_time(entry.at)

    @admin.display(description="target", ordering="target")
    def result(self, entry: LedgerEntry) -> str:
        return badge(entry.target)


@admin.register(Disclosure)
class DisclosureAdmin(ReadOnly, admin.ModelAdmin[Disclosure]):
    list_display = ["time", "booking", "actor"]
    list_display_links = ["time"]
    list_filter = [("at", admin.DateFieldListFilter)]
    list_select_related = ["booking"]
    search_fields = ["=booking__acknowledgement_id", "actor", "correlation_id"]
    search_help_text = "Acknowledgement id or actor"
    show_full_result_count = False
    list_per_page = 50
    fields = ["booking", "actor", "time", "correlation_id"]

    @admin.display(description="telephone number shown at", ordering="at")
    def time(self, row: Disclosure) -> str:
        return short_day_and_time(row.at)


@admin.register(SlotClaim)
class SlotClaimAdmin(ReadOnly, admin.ModelAdmin[SlotClaim]):
    list_display = ["held_from", "held_until", "psychologist", "booking"]
    list_filter = ["psychologist"]
    list_select_related = ["psychologist", "booking"]
    ordering = ["blocked_from"]
    search_fields = ["=booking__acknowledgement_id", "psychologist__full_name"]
    search_help_text = "Acknowledgement id or psychologist"
    show_full_result_count = False
    list_per_page = 50
    fields = ["psychologist", "booking", "held_from", "held_until"]

    @admin.display(description="held from", ordering="blocked_from")
    def held_from(self, claim: SlotClaim) -> str:
        return short_day_and_time(claim.blocked_from)

    @admin.display(description="until, pause included", ordering="blocked_until")
    def held_until(self, claim: SlotClaim) -> str:
        return short_day_and_time(claim.blocked_until)


@admin.register(ClosedDay)
class ClosedDayAdmin(admin.ModelAdmin[ClosedDay]):
    list_display = ["__str__", "weekday", "date", "note"]
    ordering = ["weekday", "date"]
    search_fields = ["note"]
    search_help_text = "Note"
