"""The page of numbers and its file: any days, all psychologists or one; for who may see the practice's money."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone

from backend.core.formatting import NOTHING, money, practice_zone, rupees
from backend.desk.forms import style_fields
from backend.desk.fresh import requires_fresh
from backend.desk.page import Page
from backend.desk.reports.numbers import Numbers, numbers
from backend.desk.spreadsheet import csv_answer, csv_lines
from backend.people.models import Psychologist

LONGEST = timedelta(days=2 * 366)  # what one page counts; each day's hours are laid out
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


class SpanForm(forms.Form):
    """From one day to another, both counted."""

    first = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    last = forms.DateField(label="Until", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    psychologist = forms.ModelChoiceField(
        Psychologist.objects.order_by("full_name"), required=False, empty_label="All psychologists"
    )

    def __init__(self, typed: QueryDict | dict[str, Any]) -> None:
        super().__init__(typed)
        style_fields(self)

    def clean(self) -> dict[str, Any]:
        typed: dict[str, Any] = super().clean() or {}
        first, last = typed.get("first"), typed.get("last")
        if first and last and not timedelta(0) <= last - first < LONGEST:
            self.add_error("last", f"Choose a day after the first, and at most {LONGEST.days} days.")
        if any(day and not 2000 <= day.year <= 2100 for day in (first, last)):
            self.add_error("first", "Choose days between 2000 and 2100.")
        return typed


def page(request: HttpRequest) -> HttpResponseBase:
    """The table, or with `as=csv` the same as a file; without days the month that is not over."""
    now = timezone.now()
    today = now.astimezone(practice_zone()).date()
    this_month = {"first": today.replace(day=1).isoformat(), "last": today.isoformat()}
    form = SpanForm(request.GET if "first" in request.GET else this_month)
    rows = _rows(form.cleaned_data, now=now) if form.is_valid() else {}
    if rows and request.GET.get("as") == "csv":
        return _file(request, rows, form.cleaned_data)
    context = {
        **admin.site.each_context(request),
        "title": "Numbers",
        "form": form,
        "names": list(rows),
        "lines": [(name, [read(one, money) for one in rows.values()]) for name, read in COLUMNS.items()],
        "spans": _spans(today),
    }
    return TemplateResponse(request, "admin/desk/numbers.html", context, status=200 if form.is_valid() else 400)


def _rows(typed: dict[str, Any], *, now: datetime) -> dict[str, Numbers]:
    days = (typed["first"], typed["last"] + timedelta(days=1))
    start, end = (datetime.combine(day, time(), practice_zone()) for day in days)
    who = typed["psychologist"]
    return numbers(start, end, who.pk if who else None, now=now)


@requires_fresh
def _file(_request: HttpRequest, rows: dict[str, Numbers], typed: dict[str, Any]) -> HttpResponse:
    span = [typed["first"].isoformat(), typed["last"].isoformat()]
    found = ([*span, name, *(read(one, rupees) for read in COLUMNS.values())] for name, one in rows.items())
    lines = csv_lines([["from", "until", "psychologist", *COLUMNS], *found])
    return csv_answer(f"numbers-{span[0]}-{span[1]}.csv", lines)


def _hours(span: timedelta) -> str:
    return f"{span / timedelta(hours=1):.1f}"


def _spans(today: date) -> Iterator[tuple[str, str, str]]:
    """Spans that are often asked for: a word, and their days."""
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    yield "This month", month.isoformat(), today.isoformat()
    yield "Last month", before.isoformat(), (month - timedelta(days=1)).isoformat()
    yield "Last 7 days", (today - timedelta(days=6)).isoformat(), today.isoformat()
    yield "This year", today.replace(month=1, day=1).isoformat(), today.isoformat()


PAGE = Page("numbers/", "numbers", lambda access: access.sees_numbers, page)
