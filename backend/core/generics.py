"""Lets what the type checker knows as generic (`ModelAdmin[Booking]`) be subscripted when the code runs.

Django's query sets and managers can be by themselves. `django_stubs_ext.monkeypatch` does it for forty classes more,
and loads them, the admin among them, wherever settings are read.
"""

from __future__ import annotations

from typing import Any

from django.contrib.admin.options import BaseModelAdmin
from django.core.paginator import Paginator
from django.forms.models import BaseModelForm, BaseModelFormSet, ModelChoiceField

SUBSCRIPTED: tuple[type, ...] = (BaseModelAdmin, BaseModelForm, BaseModelFormSet, ModelChoiceField, Paginator)


def make_subscriptable() -> None:
    """Before the first module that needs it: those of the admin and of the desk."""
    for each in SUBSCRIPTED:
        each.__class_getitem__ = classmethod(_itself)  # type: ignore[attr-defined]


def _itself(cls: type, _parameters: Any) -> type:
    return cls
