"""The corporates that sponsor sessions: their contract, what their months have left, and the report they may read."""

from __future__ import annotations

import csv
from typing import Any

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backend.core.formatting import NOTHING
from backend.desk.display import sponsor
from backend.desk.people.records import WithHistory
from backend.desk.reports import sponsor_report
from backend.people.forms import AddressField, DomainField
from backend.people.models import Corporate, SponsorDomain


class CorporateForm(forms.ModelForm[Corporate]):
    contact_email = AddressField(required=False)

    class Meta:
        model = Corporate
        fields = "__all__"  # noqa: DJ007  # an admin's form: the page names its fields

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        if data is not None and data.get("code"):  # upper-cased before the field judges it
            data = data.copy()
            data["code"] = data["code"].strip().upper()
        super().__init__(data, *args, **kwargs)


class DomainForm(forms.ModelForm[SponsorDomain]):
    class Meta:
        model = SponsorDomain
        fields = ["domain"]
        field_classes = {"domain": DomainField}


class DomainInline(admin.TabularInline[SponsorDomain, Corporate]):
    model = SponsorDomain
    form = DomainForm
    extra = 1
    verbose_name = "domain of its people's addresses"
    verbose_name_plural = "domains of its people's addresses"


@admin.register(Corporate)
class CorporateAdmin(WithHistory):
    form = CorporateForm
    list_display = ["name", "contact_email", "is_active", "starts_on", "ends_on", "sessions_a_month"]
    list_filter = ["is_active"]
    search_fields = ["name", "contact_email", "code"]
    search_help_text = "Name, address or code"
    ordering = ["name"]
    inlines = [DomainInline]
    readonly_fields = ["months", "report_link"]
    fields = [
        "name", "contact_email", "is_active", "starts_on", "ends_on", "sessions_a_month", "code", "months",
        "report_link",
    ]  # fmt: skip

    @admin.display(description="months ahead")
    def months(self, corporate: Corporate) -> str:
        if corporate.pk is None:
            return NOTHING
        return sponsor(corporate, now=timezone.now()).partition("\n")[2]

    @admin.display(description="what the sponsor may read")
    def report_link(self, corporate: Corporate) -> str | SafeString:
        if corporate.pk is None:
            return NOTHING
        return format_html('<a href="{}">Report</a>', reverse("admin:people_corporate_report", args=[corporate.pk]))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.report)
        as_csv = self.admin_site.admin_view(self.report_as_csv)
        return [
            path("<int:corporate_id>/report/", view, name="people_corporate_report"),
            path("<int:corporate_id>/report.csv", as_csv, name="people_corporate_report_csv"),
            *super().get_urls(),
        ]

    def report(self, request: HttpRequest, corporate_id: int) -> HttpResponse:
        """Sums of closed months; nobody can be told from them."""
        corporate = self._of(request, corporate_id)
        head, *rows = sponsor_report.lines(sponsor_report.report(corporate, now=timezone.now()))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Report for {corporate}",
            "corporate": corporate,
            "head": head,
            "rows": rows,
            "people_least": sponsor_report.PEOPLE_LEAST,
        }
        return TemplateResponse(request, "admin/people/corporate/report.html", context)

    def report_as_csv(self, request: HttpRequest, corporate_id: int) -> HttpResponse:
        """The same as a file to hand over."""
        corporate = self._of(request, corporate_id)
        disposition = f'attachment; filename="sessions-{corporate.pk}.csv"'
        response = HttpResponse(content_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition})
        csv.writer(response).writerows(sponsor_report.lines(sponsor_report.report(corporate, now=timezone.now())))
        return response

    def _of(self, request: HttpRequest, corporate_id: int) -> Corporate:
        if not self.has_view_permission(request):
            raise Http404
        return get_object_or_404(Corporate, pk=corporate_id)
