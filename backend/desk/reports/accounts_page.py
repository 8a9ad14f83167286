"""The page of money and its files, for the accountant: what came and went, and what the gateway paid out beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone

from backend.bookings.models import Booking
from backend.core import disclosures
from backend.core.disclosures import Act
from backend.core.formatting import NOTHING, day_and_time, money, practice_zone
from backend.desk.fresh import requires_fresh
from backend.desk.page import Page
from backend.desk.reports.spans import SpanForm, often_asked
from backend.desk.spreadsheet import csv_answer, csv_lines, xlsx_answer
from backend.reports.accounts import Compared, Movement, Statement, came_and_went, movements, statement
from backend.reports.days import instants_of

SHOWN = 200  # lines of the page; the files have them all
FILES = {"xlsx": "As a workbook (XLSX)", "csv": "As a file (CSV)"}
MOVEMENTS: dict[str, Callable[[Movement], object]] = {
    "date": lambda one: f"{one.at.astimezone(practice_zone()):%Y-%m-%d}",
    "time": lambda one: f"{one.at.astimezone(practice_zone()):%H:%M %Z}",
    "booking": lambda one: one.booking,
    "receipt": lambda one: one.receipt,
    "what": lambda one: one.what,
    "method": lambda one: one.method,
    "gateway": lambda one: one.gateway,
    "reference": lambda one: one.reference,
    "gateway's id": lambda one: one.gateway_id,
    "amount": lambda one: _rupees(one.paise),
    "currency": lambda one: one.currency,
    "fee with tax": lambda one: _rupees(one.settled.fee_paise if one.settled else one.fee_paise),
    "tax of the fee": lambda one: _rupees(one.settled.tax_paise if one.settled else one.tax_paise),
    "settlement": lambda one: one.settled.settlement_id if one.settled else "",
    "settled on": lambda one: one.settled.settled_at.astimezone(practice_zone()).date() if one.settled else "",
    "bank reference": lambda one: one.settled.bank_reference if one.settled else "",
    "note": lambda one: one.note,
}
COMPARED: dict[str, Callable[[Compared], object]] = {
    "result": lambda item: item.verdict.label,
    "settled on": lambda item: item.theirs.settled_at.astimezone(practice_zone()).date() if item.theirs else "",
    "settlement": lambda item: item.theirs.settlement_id if item.theirs else "",
    "bank reference": lambda item: item.theirs.bank_reference if item.theirs else "",
    "what": lambda item: item.theirs.kind if item.theirs else item.ours.what if item.ours else "",
    "gateway's id": lambda item: item.theirs.gateway_id if item.theirs else item.ours.gateway_id if item.ours else "",
    "booking": lambda item: item.ours.booking if item.ours else "",
    "reference": lambda item: item.ours.reference if item.ours else item.theirs.reference if item.theirs else "",
    "ours": lambda item: _rupees(item.ours.paise if item.ours else None),
    "gateway's": lambda item: _rupees(item.theirs.amount_paise if item.theirs else None),
    "fee with tax": lambda item: _rupees(item.theirs.fee_paise if item.theirs else None),
}


def page(request: HttpRequest) -> HttpResponseBase:
    """Sums and differences, or with `as=csv` and `as=xlsx` every line; without days the month that is not over."""
    now = timezone.now()
    form = SpanForm.of(request, now=now)
    if not form.is_valid():
        return _shown(request, form, None, [], now=now)
    span = instants_of(form.cleaned_data["first"], form.cleaned_data["last"])
    if request.GET.get("as") in FILES:
        return _file(request, span, now=now)
    return _shown(request, form, statement(*span, now=now), movements(*span), now=now)


def _shown(
    request: HttpRequest, form: SpanForm, found: Statement | None, moved: list[Movement], *, now: datetime
) -> TemplateResponse:
    context = {
        **admin.site.each_context(request),
        "title": "Accounts",
        "form": form,
        "files": FILES.items(),
        "spans": often_asked(now),
        "sums": _sums(moved, found) if found else [],
        "differences": [_difference(item) for item in found.differences[:SHOWN]] if found else [],
        "moved": [_movement(one) for one in moved[:SHOWN]],
        "left_out": max(0, len(moved) - SHOWN),
    }
    return TemplateResponse(request, "admin/desk/accounts.html", context, status=200 if form.is_valid() else 400)


def _difference(item: Compared) -> list[str]:
    ours, theirs = item.ours, item.theirs
    return [
        str(item.verdict.label),
        ours.booking if ours else NOTHING,
        theirs.gateway_id if theirs else ours.gateway_id if ours else NOTHING,
        money(ours.paise) if ours else NOTHING,
        money(theirs.amount_paise) if theirs else NOTHING,
    ]


def _movement(one: Movement) -> list[str]:
    return [
        day_and_time(one.at),
        one.booking,
        one.receipt or NOTHING,
        f"{one.what}, {one.note}" if one.note and one.what == "payment" else one.what,
        one.method,
        money(one.paise),
        one.settled.settlement_id if one.settled else NOTHING,
    ]


def _sums(moved: list[Movement], found: Statement) -> list[tuple[str, str]]:
    came, went = came_and_went(moved)
    return [
        ("Came", money(came)),
        ("Went back", money(went)),
        ("Paid out by the gateway, before fees", money(found.theirs_paise)),
        ("The same items here", money(found.ours_paise)),
        ("Fees with tax", money(found.fee_paise)),
        ("Tax of the fees", money(found.tax_paise)),
        ("Reached the bank", money(found.theirs_paise - found.fee_paise)),
    ]


@requires_fresh
def _file(request: HttpRequest, span: tuple[datetime, datetime], *, now: datetime) -> HttpResponse:
    """A file names bookings, so that it was taken away is recorded for each."""
    found = movements(*span)
    disclosures.note_act(Act.EXPORTED, Booking, {one.booking_id for one in found})
    last = span[1] - timedelta(seconds=1)
    name = f"accounts-{span[0]:%Y-%m-%d}-{last.astimezone(practice_zone()):%Y-%m-%d}"
    lines: list[list[object]] = [list(MOVEMENTS), *([read(one) for read in MOVEMENTS.values()] for one in found)]
    if request.GET["as"] == "csv":
        return csv_answer(f"{name}.csv", csv_lines(lines))
    compared = statement(*span, now=now).items
    beside: list[list[object]] = [list(COMPARED), *([read(item) for read in COMPARED.values()] for item in compared)]
    return xlsx_answer(f"{name}.xlsx", {"Money": lines, "Settlements": beside})


def _rupees(paise: int | None) -> Decimal | str:
    return "" if paise is None else Decimal(paise) / 100


PAGE = Page("accounts/", "accounts", lambda access: access.sees_numbers, page)
