"""`/go/data/?token=`: what we keep of the person behind a mailed link, to read and to take away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from backend.api.frame import render_page
from backend.api.links.pages import LinkPage
from backend.audit import own_data
from backend.bookings.models import Gender
from backend.bookings.notices import Notice
from backend.bookings.payment_status import PaymentStatus
from backend.core import formatting

EMPTY: tuple[Any, ...] = (None, "", [], {})


class DataPage(LinkPage):
    """Everything as a page; its button gives the same as a file. Both only read."""

    def get(self, request: HttpRequest) -> HttpResponse:
        token, now = request.GET.get("token", ""), timezone.now()
        found = own_data.of(own_data.proved_by(token, now=now)[1], now=now)
        tables = [(title, [_lines(row, _words(title)) for row in rows]) for title, rows in found.items()]
        return render_page("data", {"token": token, "tables": tables, "made": formatting.day_and_time(now)})

    def post(self, request: HttpRequest) -> HttpResponse:
        """JSON."""
        now = timezone.now()
        found = own_data.of(own_data.proved_by(request.POST.get("token", ""), now=now)[1], now=now)
        name = f'attachment; filename="your-data-{now:%Y-%m-%d}.json"'
        return JsonResponse(found, headers={"Content-Disposition": name}, json_dumps_params={"indent": 2})


def _words(title: str) -> dict[str, dict[Any, str]]:
    """How a table's codes read, by column; the file keeps the codes, which programs know."""
    model = own_data.TABLES.get(title)
    found = {field.name: dict(field.flatchoices) for field in model._meta.concrete_fields} if model else {}
    found["payment_status"] = {one.value: one.value.replace("_", " ") for one in PaymentStatus}
    found["gender"] = dict(Gender.choices)
    return found | {"kind": found.get("kind") or dict(Notice.choices)}


def _lines(row: Mapping[str, Any], words: Mapping[str, Mapping[Any, str]]) -> list[tuple[str, str]]:
    """What stands in it, without what is empty."""
    return [_line(name, value, words.get(name)) for name, value in row.items() if value not in EMPTY]


def _line(name: str, value: Any, words: Mapping[Any, str] | None) -> tuple[str, str]:
    if name.endswith("_paise"):
        return name.removesuffix("_paise").replace("_", " "), formatting.money(value)
    if name == "what":  # was read: the names of columns
        return name, ", ".join(column.replace("_", " ") for column in value)
    return name.replace("_", " "), words.get(value, str(value)) if words else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return formatting.day_and_time(value)
    if isinstance(value, date):
        return formatting.short_day(value)
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_text(one)}" for name, one in value.items() if one not in EMPTY)
    return ", ".join(map(_text, value)) if isinstance(value, list | tuple) else str(value)
