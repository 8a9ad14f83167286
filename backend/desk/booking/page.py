"""Bookings as staff see them: a list to work from, and one page that tells everything and leads to every action."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils import timezone

from backend.accounts.roles import Ability, has_any_permission
from backend.bookings.access import AccessPolicy, Scope
from backend.bookings.lifecycle.read_receipts import mark_message_read
from backend.bookings.machine import FINAL, State
from backend.bookings.models import Booking
from backend.bookings.search import matching
from backend.core.admin_pages import ListOfPeople, ReadOnly
from backend.core.errors import required
from backend.core.formatting import short_day_and_time
from backend.desk import readings
from backend.desk.booking import (
    action_page,
    columns,
    follow_ups,
    readers,
    receipt,
    reminders,
    reveal_phone,
    room,
    series,
    tell,
)
from backend.desk.booking.actions.table import open_to
from backend.desk.booking.timeline import timeline
from backend.desk.calendar import panel
from backend.desk.list import bulk, export
from backend.desk.list.filters import PRIORITY_FIRST, Deadline, Money, PreferredDate, SessionDate, Waiting
from backend.desk.list.pagination import BookingPaginator
from backend.desk.long_lists import LongList
from backend.desk.page import Page
from backend.desk.phone import page as phone

PAGES: list[Page] = [
    phone.PAGE,
    tell.PAGE,
    bulk.PAGE,
    export.PAGE,
    *action_page.PAGES,
    follow_ups.PAGE,
    *series.PAGES,
    reminders.PAGE,
    reveal_phone.PAGE,
    readers.PAGE,
    receipt.PAGE,
    room.PAGE,
    *panel.PAGES,
]
SECTIONS: tuple[tuple[str | None, tuple[Any, ...]], ...] = (  # of the booking's page: a column's function, or a field
    (
        None,
        (
            columns.status, columns.left, columns.opened, columns.verified, columns.closed, "origin", "client",
            columns.series,
        ),
    ),
    (
        "What the visitor asked for",
        (
            "full_name", "email", columns.phone, columns.place, columns.years, "gender", "emergency_contact",
            columns.preferred, columns.wish, "mode", "payment_mode", "sponsor_code", "user_message",
        ),
    ),
    (
        "What was settled",
        (
            "psychologist", columns.slot, columns.moved, columns.meets, "address", columns.price, columns.payment,
            columns.receipt_links, columns.payable, "corporate", columns.sponsored, columns.consent, "outcome",
            "note_to_visitor", "refund_note",
        ),
    ),
)  # fmt: skip
FITTING = ("Slots that fit", (columns.fitting, "corporate", columns.sponsored))  # of a request, instead of the last


@admin.register(Booking)
class BookingAdmin(LongList, ListOfPeople, ReadOnly, admin.ModelAdmin[Booking]):
    list_display = [
        "acknowledgement_id", columns.status, "full_name", columns.wanted, "psychologist", columns.slot_in_list,
        columns.left,
    ]  # fmt: skip
    list_filter = ["state", Deadline, Waiting, SessionDate, PreferredDate, "psychologist", "mode", Money, "corporate"]
    ordering = [PRIORITY_FIRST, "-id"]
    list_select_related = ["psychologist"]
    search_fields = ["acknowledgement_id", "full_name", "email", "phone_number"]
    search_help_text = "Id, name, address or phone"
    paginator = BookingPaginator
    list_per_page = 25  # a row costs more to draw than to read
    actions = ["approve_many", "reject_many"]

    def get_urls(self) -> list[URLPattern]:
        return [page.url(self.admin_site) for page in PAGES] + super().get_urls()

    def has_module_permission(self, request: HttpRequest) -> bool:
        return AccessPolicy(request.user).sees_bookings

    def has_view_permission(self, request: HttpRequest, _obj: Booking | None = None) -> bool:
        return AccessPolicy(request.user).sees_bookings

    def get_queryset(self, request: HttpRequest) -> QuerySet[Booking]:
        """Those that the account sees; the others do not exist for it.

        The message is decrypted on the one page that shows it, which shows everybody around the booking, too.
        """
        rows = super().get_queryset(request).filter(AccessPolicy(request.user).bookings())
        match = request.resolver_match
        if match is not None and match.url_name == "bookings_booking_change":
            related = rows.select_related("client", "psychologist", "corporate", "preferred_psychologist")
            return related.prefetch_related("payments__refunds")
        if request.GET.get("state__exact") in set(State) - set(FINAL):
            rows = rows.filter(due_at__isnull=False)  # they all have one; `booking_due` holds no others
        return rows.defer("user_message")

    # -- the list ------------------------------------------------------------------------------------------------------

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """Requests that wait stand as on Today: what lapses first is first."""
        is_of_requests = request.GET.get("state__exact") == State.PENDING
        return ["due_at", "-is_priority"] if is_of_requests else self.ordering

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Booking], search_term: str
    ) -> tuple[QuerySet[Booking], bool]:
        """By id, with misread letters mended, or by words of name, address and telephone number."""
        if not search_term.strip():
            return queryset, False
        return queryset.filter(matching(search_term, AccessPolicy(request.user))), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        query = request.GET.urlencode()
        context = {
            "export_url": reverse("admin:bookings_booking_export") + (f"?{query}" if query else ""),
            "may_decide": AccessPolicy(request.user).decides,
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Asked by Django for the actions below."""
        return AccessPolicy(request.user).may_act_on_some(Scope.UNASSIGNED)

    @admin.action(description="Approve with suggested slots", permissions=["decide"])
    def approve_many(self, request: HttpRequest, _rows: QuerySet[Booking]) -> HttpResponse:
        return bulk.marked(request, "approve")

    @admin.action(description="Decline", permissions=["decide"])
    def reject_many(self, request: HttpRequest, _rows: QuerySet[Booking]) -> HttpResponse:
        return bulk.marked(request, "reject")

    # -- one booking ---------------------------------------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Booking | None = None) -> Any:
        """With what the account may not read in words that do not tell it."""
        access = AccessPolicy(request.user)
        shown: dict[object, object] = {}
        if not access.sees_phones:
            shown = {columns.phone: columns.masked_phone, "emergency_contact": columns.masked_contact}
        if obj is None or not access.reads_message(obj):
            shown["user_message"] = columns.hidden_message
        if obj is None or obj.psychologist_id != access.psychologist_id:
            shown[columns.meets] = columns.met
        if not has_any_permission(request.user, Ability.SEE_CLIENTS):
            shown["client"] = columns.person
        if not access.may_act_on_some(Scope.DESK):
            shown[columns.receipt_links] = columns.receipt_numbers
        is_request = obj is not None and obj.state == State.PENDING and access.may_act(obj, Scope.UNASSIGNED)
        sections = (*SECTIONS[:2], FITTING if is_request else SECTIONS[2])
        return [(name, {"fields": [shown.get(field, field) for field in fields]}) for name, fields in sections]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Booking | None = None,
    ) -> HttpResponse:
        """The booking's page, with a button for each action that is possible."""
        booking, access, now = required(obj, "the page's booking"), AccessPolicy(request.user), timezone.now()
        context["actions"] = open_to(access, booking, now=now)
        context["series_acts"] = series.open_acts(access, booking, now=now)
        context["may_follow_up"] = follow_ups.may_follow_up(access, booking)
        context["may_choose_reminders"] = reminders.may_choose(access, booking)
        context["may_reveal"] = reveal_phone.may_reveal(access)
        context["may_see_readers"] = readings.may_see(access)
        context["asked_to_cancel"] = short_day_and_time(booking.cancellation_requested_at)
        context["choice_open_until"] = short_day_and_time(booking.choose_by)
        context["undo_until"] = booking.undoable_until(now)
        context["timeline"] = timeline(booking, request.user)
        context["now"] = now
        if access.reads_message(booking):  # a message counts as read once somebody whom it is shown to has opened it
            mark_message_read(booking.pk, now=now)
        return super().render_change_form(request, context, add, change, form_url, obj)
