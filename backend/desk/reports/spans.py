"""From one day to another, as the pages of numbers and of money ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Self

from django import forms
from django.http import HttpRequest, QueryDict

from backend.core.formatting import practice_zone
from backend.desk.forms import style_fields
from backend.reports import days


class SpanForm(forms.Form):
    """From one day to another, both counted."""

    first = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    last = forms.DateField(label="Until", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, typed: QueryDict | dict[str, Any]) -> None:
        super().__init__(typed)
        style_fields(self)

    @classmethod
    def of(cls, request: HttpRequest, *, now: datetime) -> Self:
        """As the address has it; without days the month that is not over."""
        first, last = days.this_month(now)
        so_far = {"first": first.isoformat(), "last": last.isoformat()}
        return cls(request.GET if "first" in request.GET else so_far)

    def clean(self) -> dict[str, Any]:
        typed: dict[str, Any] = super().clean() or {}
        first, last = typed.get("first"), typed.get("last")
        for name, fault in (days.faults(first, last) if first and last else {}).items():
            self.add_error(name, fault)
        return typed


def often_asked(now: datetime) -> Iterator[tuple[str, str, str]]:
    """Spans that are often asked for: a word, and their days."""
    today = now.astimezone(practice_zone()).date()
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    yield "This month", month.isoformat(), today.isoformat()
    yield "Last month", before.isoformat(), (month - timedelta(days=1)).isoformat()
    yield "Last 7 days", (today - timedelta(days=6)).isoformat(), today.isoformat()
    yield "This year", today.replace(month=1, day=1).isoformat(), today.isoformat()
