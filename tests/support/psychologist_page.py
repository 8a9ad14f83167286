"""A psychologist's page as staff save it."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.test import Client as Browser

from backend.people.models import Psychologist
from tests.support.admin_site import page_url, psychologist_form, rows_of


def save(desk: Browser, who: Psychologist, sent: dict[str, str], **fields: Any) -> HttpResponse:
    about = {"full_name": who.full_name, "email": who.email, "is_active": "on", "meeting_link": who.meeting_link}
    return desk.post(page_url(who), {**about, **psychologist_form(), **sent, **fields})


def hours(*rows: dict[str, object], stored: int = 0) -> dict[str, str]:
    return rows_of("working_hours", *rows, stored=stored)


def off(*rows: dict[str, object], stored: int = 0) -> dict[str, str]:
    return rows_of("time_off", *rows, stored=stored)


def errors(answer: HttpResponse, prefix: str = "working_hours") -> list[set[str]]:
    """The fields that are refused, row by row."""
    assert answer.status_code == 200
    formsets = (it.formset for it in answer.context["inline_admin_formsets"])
    return next([set(row) for row in formset.errors] for formset in formsets if formset.prefix == prefix)
