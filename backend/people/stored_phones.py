"""Telephone numbers of rows that were stored as ten digits, made E.164; for migrations."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Concat, Substr

from backend.people import intake, phones

HOME = Q(country="") | Q(country__iexact=intake.HOME)


def to_e164(rows: QuerySet[Any]) -> None:
    """Rows with `phone_number` and `country`. A number that nobody can place stays as it was typed."""
    rows.filter(HOME, phone_number__regex=r"^[0-9]{10}$").update(
        phone_number=Concat(Value(phones.HOME_CODE), F("phone_number"))
    )
    others = rows.exclude(phone_number="").exclude(phone_number__startswith="+")
    for row in others.order_by("pk").values_list("pk", "phone_number", "country").iterator():
        _place(rows, *row)


def to_ten_digits(rows: QuerySet[Any]) -> None:
    """Back, as far as ten digits can say it: numbers abroad keep their code."""
    at_home = rows.filter(phone_number__regex=r"^\+91[0-9]{10}$")
    at_home.update(phone_number=Substr("phone_number", len(phones.HOME_CODE) + 1))


def _place(rows: QuerySet[Any], pk: int, number: str, country: str) -> None:
    try:
        rows.filter(pk=pk).update(phone_number=phones.canonical(number, country))
    except ValueError:
        return
