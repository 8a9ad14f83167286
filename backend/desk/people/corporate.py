"""The corporates that sponsor sessions: their contract, what their months have left, and the report they may read."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from backend.bookings.access import AccessPolicy
from backend.core.formatting import NOTHING
from backend.desk.display import sponsor
from backend.desk.fresh import requires_fresh
from backend.desk.page import Page, render
from backend.desk.people.records import WithHistory
from backend.desk.spreadsheet import csv_answer, csv_lines
from backend.people.forms import DomainField, EmailAddressField
from backend.people.models import Corporate, SponsorDomain
from backend.reports import sponsor_report


class CorporateForm(forms.ModelForm[Corporate]):
    contact_email = EmailAddressField(required=False)

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
        return [*(page.url(self.admin_site) for page in PAGES), *super().get_urls()]


def report(request: HttpRequest, corporate_id: int) -> HttpResponse:
    """Sums of closed months; nobody can be told from them."""
    corporate = get_object_or_404(Corporate, pk=corporate_id)
    head, *rows = sponsor_report.lines(sponsor_report.report(corporate, now=timezone.now()))
    return render(
        request,
        "admin/people/corporate/report.html",
        title=f"Report for {corporate}",
        model=Corporate,
        corporate=corporate,
        head=head,
        rows=rows,
        people_least=sponsor_report.PEOPLE_LEAST,
    )


@requires_fresh
def report_as_csv(_request: HttpRequest, corporate_id: int) -> HttpResponse:
    """The same as a file to hand over."""
    corporate = get_object_or_404(Corporate, pk=corporate_id)
    found = sponsor_report.report(corporate, now=timezone.now())
    return csv_answer(f"sessions-{corporate.pk}.csv", csv_lines(sponsor_report.lines(found)))


def _may_open(access: AccessPolicy) -> bool:
    """Who sees the corporate."""
    return any(access.user.has_perm(f"people.{act}_corporate") for act in ("view", "change"))


PAGES = [
    Page("<int:corporate_id>/report/", "people_corporate_report", _may_open, report),
    Page("<int:corporate_id>/report.csv", "people_corporate_report_csv", _may_open, report_as_csv),
]
