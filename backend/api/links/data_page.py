"""`/go/data/?token=`: what we keep of the person behind a mailed link, to read and to take away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from backend.api.frame import render_page
from backend.api.links import data_words
from backend.api.links.pages import LinkPage
from backend.audit import own_data
from backend.bookings import actors
from backend.bookings.models import Gender
from backend.bookings.notices import Notice
from backend.bookings.payment_status import PaymentStatus
from backend.channels import adapters
from backend.channels.models import CHANNELS
from backend.core import formatting

EMPTY: tuple[Any, ...] = (None, "", [], {})
_ACTORS = ("asked_by", "guardian_consent_by", "given_by", "withdrawn_by")
_OF_COLUMNS = ("what", "changed")  # names of columns: that were read, that were corrected
_SIGNS = (
    "practice",
    "site_url",
    "support_lines",
    "language",
    "time_zone",
    "money",
    "stands",
    "method",
    "refund_way",
    "way",
    "upi",
)
_LANGUAGES = ("language", "notice_language")


class DataPage(LinkPage):
    """Everything as a page; its button gives the same as a file. Both only read."""

    def get(self, request: HttpRequest) -> HttpResponse:
        token, now = request.GET.get("token", ""), timezone.now()
        found = own_data.of(own_data.proved_by(token, now=now)[1], now=now)
        tables = [(data_words.title(name), [_lines(row, _codes(name)) for row in rows]) for name, rows in found.items()]
        has_choice = bool(adapters.configured() or found["what may be written to your telephone"])
        made = {"made": formatting.day_and_time(now), "has_choice": has_choice}
        return render_page("data", {"token": token, "tables": tables, **made})

    def post(self, request: HttpRequest) -> HttpResponse:
        """JSON, for programs: the same whatever the language."""
        now = timezone.now()
        found = own_data.of(own_data.proved_by(request.POST.get("token", ""), now=now)[1], now=now)
        name = f'attachment; filename="your-data-{now:%Y-%m-%d}.json"'
        return JsonResponse(found, headers={"Content-Disposition": name}, json_dumps_params={"indent": 2})


def _codes(table: str) -> dict[str, dict[Any, str]]:
    """How a table's codes read, by column; the file keeps the codes, which programs know."""
    model = own_data.TABLES.get(table)
    found = {field.name: dict(field.flatchoices) for field in model._meta.concrete_fields} if model else {}
    found["payment_status"] = {one.value: one.value.replace("_", " ") for one in PaymentStatus}
    found["gender"] = dict(Gender.choices)
    found |= {name: dict(settings.LANGUAGES) for name in _LANGUAGES}
    found["channel"] = found["reminders_by"] = dict(CHANNELS)
    return found | {"kind": found.get("kind") or dict(Notice.choices)}


def _lines(row: Mapping[str, Any], codes: Mapping[str, Mapping[Any, str]]) -> list[tuple[str, str]]:
    """What stands in it, without what is empty."""
    return [
        (data_words.column(name), _said(name, value, codes.get(name)))
        for name, value in row.items()
        if value not in EMPTY
    ]


def _said(name: str, value: Any, codes: Mapping[Any, str] | None) -> str:
    if name.endswith("_paise"):
        return formatting.money(value)
    if name in _OF_COLUMNS:
        return ", ".join(map(data_words.column, value.split() if isinstance(value, str) else value))
    if name in _ACTORS:
        return data_words.word(actors.describe(value))
    if name == "context":
        return "; ".join(dict.fromkeys(_told(value)))
    if name == "act":
        return data_words.word(value)
    return data_words.word(codes.get(value, str(value))) if codes else _text(value)


def _told(context: Any) -> Iterator[str]:
    """The texts of a mail that were filled in. Its switches and our signs for them stand in the file alone."""
    if isinstance(context, Mapping):
        for name, value in context.items():
            yield from () if name in _SIGNS else _told(value)
    elif isinstance(context, list):
        for value in context:
            yield from _told(value)
    elif isinstance(context, str) and context and parse_datetime(context) is None:
        yield context


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return formatting.day_and_time(value)
    if isinstance(value, date):
        return formatting.day_of_week(value)
    return ", ".join(map(_text, value)) if isinstance(value, list | tuple) else str(value)
