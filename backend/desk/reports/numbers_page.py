"""The page of numbers and its file: any days, all psychologists or one; for who may see the practice's money."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from backend.bookings import kept_sums
from backend.core.formatting import NOTHING, money, rupees
from backend.desk.fresh import requires_fresh
from backend.desk.page import Page
from backend.desk.reports.spans import SpanForm, often_asked
from backend.desk.spreadsheet import csv_answer, csv_lines
from backend.people.models import Psychologist
from backend.reports.days import instants_of
from backend.reports.numbers import Numbers, by_name, count, named, numbers

Money = Callable[[int], str]
COLUMNS: dict[str, Callable[[Numbers, Money], object]] = {
    "sessions": lambda one, _: one.sessions,
    "attended": lambda one, _: one.attended,
    "did not come": lambda one, _: one.no_shows,
    "hours busy": lambda one, _: _hours(one.busy),
    "hours open": lambda one, _: _hours(one.open),
    "occupancy, %": lambda one, _: NOTHING if one.occupancy is None else one.occupancy,
    "paid": lambda one, written: written(one.paid_paise),
    "given back": lambda one, written: written(one.given_back_paise),
    "unpaid": lambda one, written: written(one.unpaid_paise),
    "cancelled by the visitor": lambda one, _: one.by_visitor,
    "late by the visitor": lambda one, _: one.by_visitor_late,
    "cancelled or declined by us": lambda one, _: one.by_practice,
    "not answered in time": lambda one, _: one.unanswered,
    "not paid in time": lambda one, _: one.not_paid,
}


class NumbersForm(SpanForm):
    """Of all psychologists, or of one."""

    psychologist = forms.ModelChoiceField(
        Psychologist.objects.order_by("full_name"), required=False, empty_label="All psychologists"
    )


def page(request: HttpRequest) -> HttpResponseBase:
    """The table, or with `as=csv` the same as a file; without days the month that is not over."""
    now = timezone.now()
    form = NumbersForm.of(request, now=now)
    rows, as_of = _rows(form.cleaned_data, now=now) if form.is_valid() else ({}, None)
    if rows and request.GET.get("as") == "csv":
        return _file(request, _counted_now(form.cleaned_data, now=now) if as_of else rows, form.cleaned_data)
    context = {
        **admin.site.each_context(request),
        "title": "Numbers",
        "form": form,
        "files": [("csv", "As a file (CSV)")] if rows else [],
        "names": list(rows),
        "as_of": kept_sums.clock(as_of),
        "lines": [(name, _cells(read(one, money) for one in rows.values())) for name, read in COLUMNS.items()],
        "spans": often_asked(now),
    }
    return TemplateResponse(request, "admin/desk/numbers.html", context, status=200 if form.is_valid() else 400)


def _cells(values: Iterable[object]) -> SafeString:
    """Of a line: there are hundreds on a page."""
    return format_html_join("", "<td>{}</td>", ((value,) for value in values))


def _rows(typed: dict[str, Any], *, now: datetime) -> tuple[dict[str, Numbers], datetime | None]:
    """By name, and when they were counted, if it was some minutes ago: those of a large practice are kept."""
    span, who = instants_of(typed["first"], typed["last"]), _whose(typed)
    said, counted_at = kept_sums.kept(
        f"numbers {typed['first']} {typed['last']} {who or 'all'}",
        lambda: [(pk, one.as_json()) for pk, one in count(*span, who, now=now).items()],
        is_large=lambda lines: sum(one["sessions"] for _, one in lines) >= kept_sums.MANY,
        now=now,
    )
    return by_name(named({pk: Numbers.of_json(one) for pk, one in said})), counted_at


def _counted_now(typed: dict[str, Any], *, now: datetime) -> dict[str, Numbers]:
    return numbers(*instants_of(typed["first"], typed["last"]), _whose(typed), now=now)


def _whose(typed: dict[str, Any]) -> int | None:
    return typed["psychologist"].pk if typed["psychologist"] else None


@requires_fresh
def _file(_request: HttpRequest, rows: dict[str, Numbers], typed: dict[str, Any]) -> HttpResponse:
    span = [typed["first"].isoformat(), typed["last"].isoformat()]
    found = ([*span, name, *(read(one, rupees) for read in COLUMNS.values())] for name, one in rows.items())
    lines = csv_lines([["from", "until", "psychologist", *COLUMNS], *found])
    return csv_answer(f"numbers-{span[0]}-{span[1]}.csv", lines)


def _hours(span: timedelta) -> str:
    return f"{span / timedelta(hours=1):.1f}"


PAGE = Page("numbers/", "numbers", lambda access: access.sees_numbers, page)
