"""The list of bookings to work from: pages that count nothing, many decided at once, and the rows as a file."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from backend.bookings.access import AccessPolicy, Scope
from backend.bookings.models import Booking
from backend.bookings.search import matching
from backend.desk.booking.follow_ups import FollowUpPages
from backend.desk.booking.forms import opened
from backend.desk.list import bulk, export
from backend.desk.list.pagination import LookingAhead

log = logging.getLogger(__name__)
LIST = "admin:bookings_booking_changelist"


class BookingList(FollowUpPages):
    paginator = LookingAhead
    show_full_result_count = False
    list_per_page = 25  # a row costs more to draw than to read
    list_max_show_all = 0
    actions = ["approve_many", "reject_many"]

    def get_paginator(self, request: HttpRequest, *args: Any, **kwargs: Any) -> LookingAhead:
        """Which looks ahead from the page that is asked for."""
        found = LookingAhead(*args, **kwargs)
        page = request.GET.get("p", "1")
        found.at_page = int(page) if page.isdecimal() and len(page) < 7 else 1
        return found

    def get_search_results(
        self, _request: HttpRequest, queryset: QuerySet[Booking], search_term: str
    ) -> tuple[QuerySet[Booking], bool]:
        """By id, with misread letters mended, or by words of name, address and telephone number."""
        return queryset.filter(matching(search_term)) if search_term.strip() else queryset, False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        query = request.GET.urlencode()
        context = {"export_url": reverse("admin:bookings_booking_export") + (f"?{query}" if query else "")}
        answer = super().changelist_view(request, {**context, **(extra_context or {})})
        shown = getattr(answer, "context_data", None) or {}
        if isinstance(changes := shown.get("cl"), ChangeList):
            paginator = changes.paginator
            shown["is_more"] = isinstance(paginator, LookingAhead) and paginator.is_more
        return answer

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("export/", view(self.export), name="bookings_booking_export"),
            path("many/<slug:what>/", view(self.decide_many), name="bookings_booking_many"),
            *super().get_urls(),
        ]

    # -- many at once --------------------------------------------------------------------------------------------------

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Asked by Django for the actions below."""
        return AccessPolicy(request.user).acts(Scope.UNASSIGNED)

    @admin.action(description="Approve with suggested slots", permissions=["decide"])
    def approve_many(self, request: HttpRequest, _rows: QuerySet[Booking]) -> HttpResponse:
        return self._marked(request, "approve")

    @admin.action(description="Decline", permissions=["decide"])
    def reject_many(self, request: HttpRequest, _rows: QuerySet[Booking]) -> HttpResponse:
        return self._marked(request, "reject")

    def _marked(self, request: HttpRequest, what: str) -> HttpResponse:
        """Those that were marked on the page; never more than the eye saw."""
        ids = request.POST.getlist("_selected_action")
        if len(ids) > bulk.MOST:
            messages.warning(request, f"The first {bulk.MOST} of {len(ids)} are shown. Decide about the others after.")
        return redirect(f"{reverse('admin:bookings_booking_many', args=[what])}?ids={','.join(ids[: bulk.MOST])}")

    def decide_many(self, request: HttpRequest, what: str) -> HttpResponse:
        """GET, and POST with `preview`: what would happen. POST: it happens; what was refused is told one by one."""
        scope = AccessPolicy(request.user).bookings_to(Scope.UNASSIGNED)
        if what not in bulk.FORMS or not AccessPolicy(request.user).acts(Scope.UNASSIGNED):
            raise Http404
        now, ids = timezone.now(), request.GET.get("ids", "")
        bookings = bulk.chosen(ids, scope)
        if not bookings:
            messages.warning(request, "None of these waits for an answer.")
            return redirect(LIST)
        typed = request.POST if request.method == "POST" else None
        form = bulk.FORMS[what](bookings, typed, now=now)
        if typed is None or not form.is_valid() or "preview" in typed:
            if typed is None or form.is_valid():
                form.foretell(form if typed else opened(form), actor=self._actor(request), now=now)
            return self._many_page(request, form, 200 if typed is None or form.is_valid() else 400)
        told = bulk.carry_out_all(form, actor=self._actor(request), now=now)
        for one in told:
            (messages.success if one.is_done else messages.error)(request, one.text)
        if not told:
            messages.warning(request, "Nothing was decided.")
        return redirect(LIST)

    def _many_page(self, request: HttpRequest, form: bulk.BulkForm, status: int) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": form.title, "form": form}
        return TemplateResponse(request, "admin/bookings/booking/many.html", context, status=status)

    # -- a file --------------------------------------------------------------------------------------------------------

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """The rows that the list shows under the same filters, all pages, newest first."""
        access = AccessPolicy(request.user)
        if not access.sees_bookings:
            raise Http404
        shown = self.get_changelist_instance(request).get_queryset(request).order_by("-pk")
        rows = shown.select_related("psychologist", "corporate").iterator(chunk_size=export.AT_ONCE)
        log.info("exported by %s", self._actor(request))
        return StreamingHttpResponse(
            export.lines(rows, access),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="bookings.csv"', "Cache-Control": "no-store"},
        )
