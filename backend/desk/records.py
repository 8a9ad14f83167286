"""The ledger, the access log and the held slots, read-only; the closed days, which staff edit."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import Truncator

from backend.audit.models import AccessRecord
from backend.audit.readings import who
from backend.bookings import actors
from backend.bookings.intents import Intent
from backend.bookings.models import ClosedDay, LedgerEntry, SlotClaim
from backend.core.admin_pages import ReadOnly
from backend.core.formatting import short_day_and_time
from backend.desk import closed_days
from backend.desk.closed_days import ClosedDayForm, close_rest
from backend.desk.display import badge
from backend.desk.long_lists import LongList
from backend.desk.whole_ids import FoundByIds
from backend.scheduling.rebooking_options import on_closed_days

SHOWN_LONGEST = 120  # characters in the list


@admin.register(LedgerEntry)
class LedgerEntryAdmin(FoundByIds, LongList, ReadOnly, admin.ModelAdmin[LedgerEntry]):
    list_display = ["time", "booking", "sequence", "what", "source", "result", "reason", "who"]
    list_display_links = ["time"]
    list_filter = ["target", ("at", admin.DateFieldListFilter)]
    list_select_related = ["booking"]
    ordering = ["-id"]
    search_fields = ["actor", "intent", "=correlation_id"]
    search_help_text = "Acknowledgement id, actor or intent"
    fields = [
        "booking", "sequence", "time", "what", "intent", "source", "target", "reason", "who", "actor", "details",
        "correlation_id",
    ]  # fmt: skip

    @admin.display(description="what", ordering="intent")
    def what(self, entry: LedgerEntry) -> str:
        return Intent(entry.intent).label if entry.intent in Intent else entry.intent

    @admin.display(description="who", ordering="actor")
    def who(self, entry: LedgerEntry) -> str:
        return actors.describe(entry.actor)

    @admin.display(description="at", ordering="at")
    def time(self, entry: LedgerEntry) -> str:
        return short_day_and_time(entry.at)

    @admin.display(description="target", ordering="target")
    def result(self, entry: LedgerEntry) -> str:
        return badge(entry.target)


@admin.register(AccessRecord)
class AccessRecordAdmin(LongList, ReadOnly, admin.ModelAdmin[AccessRecord]):
    list_display = ["time", "who", "kind", "rows", "page"]
    list_display_links = ["time"]
    list_filter = ["kind", ("at", admin.DateFieldListFilter)]
    search_fields = ["actor", "token_name", "=correlation_id"]
    search_help_text = "Actor, token or correlation id"
    fields = ["time", "actor", "token_name", "token_id", "kind", "page", "shown", "correlation_id"]

    @admin.display(description="who", ordering="actor")
    def who(self, row: AccessRecord) -> str:
        return who(row)

    @admin.display(description="at", ordering="at")
    def time(self, row: AccessRecord) -> str:
        return short_day_and_time(row.at)

    @admin.display(description="shown")
    def rows(self, row: AccessRecord) -> str:
        """Without the ids of a long list."""
        return Truncator(row.shown).chars(SHOWN_LONGEST)


@admin.register(SlotClaim)
class SlotClaimAdmin(FoundByIds, LongList, ReadOnly, admin.ModelAdmin[SlotClaim]):
    list_display = ["held_from", "held_until", "psychologist", "booking"]
    list_filter = ["psychologist"]
    list_select_related = ["psychologist", "booking"]
    ordering = ["blocked_from"]
    search_fields = ["psychologist__full_name"]
    search_help_text = "Acknowledgement id or psychologist"
    fields = ["psychologist", "booking", "held_from", "held_until"]

    @admin.display(description="held from", ordering="blocked_from")
    def held_from(self, claim: SlotClaim) -> str:
        return short_day_and_time(claim.blocked_from)

    @admin.display(description="until, pause included", ordering="blocked_until")
    def held_until(self, claim: SlotClaim) -> str:
        return short_day_and_time(claim.blocked_until)


@admin.register(ClosedDay)
class ClosedDayAdmin(admin.ModelAdmin[ClosedDay]):
    form = ClosedDayForm
    list_display = ["__str__", "weekday", "date", "note"]
    ordering = ["weekday", "date"]
    search_fields = ["note"]
    search_help_text = "Note"

    def get_urls(self) -> list[URLPattern]:
        return [closed_days.PAGE.url(self.admin_site), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With a way back to the decisions that are left."""
        standing = len(on_closed_days(now=timezone.now()))
        if standing and request.method == "GET":
            told = '{} booked on closed days. <a href="{}">Decide about each</a>'
            messages.warning(request, format_html(told, standing, reverse(f"admin:{closed_days.NAME}")))
        return super().changelist_view(request, extra_context)

    def save_model(self, request: HttpRequest, obj: ClosedDay, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        close_rest(form)

    def response_add(self, request: HttpRequest, obj: ClosedDay, post_url_continue: str | None = None) -> HttpResponse:
        return self._to_sessions(request) or super().response_add(request, obj, post_url_continue)

    def response_change(self, request: HttpRequest, obj: ClosedDay) -> HttpResponse:
        return self._to_sessions(request) or super().response_change(request, obj)

    @staticmethod
    def _to_sessions(request: HttpRequest) -> HttpResponse | None:
        """Nobody books into closed days any more; whoever is booked waits for a decision."""
        standing = on_closed_days(now=timezone.now())
        if not standing:
            return None
        messages.warning(request, f"Closed, and {len(standing)} booked on closed days: decide about each.")
        return redirect(f"admin:{closed_days.NAME}")
