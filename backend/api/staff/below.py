"""Rows that the desk's page of another row has below it: replaced as a whole, and judged by that page's own forms."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.db.models import Model, QuerySet
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request

Given = list[dict[str, Any]]


class Below:
    """The rows of `model` below `whose`, for who may change them. Raises Http404 for who may not."""

    def __init__(self, request: Request, whose: Model, model: type[Model], columns: tuple[str, ...]) -> None:
        self._whose, self._columns = whose, columns
        self._shape, inline = _formset(request, whose, model)
        self.rows: QuerySet[Any] = inline.get_queryset(request._request).filter(**{self._shape.fk.name: whose})

    def replace(self, given: Given, *, name: str) -> None:
        """What stands there already stays as it is. Raises ValidationError, by `name`, for what the forms refuse."""
        form = self._shape(self._typed(given), instance=self._whose, queryset=self.rows)
        if not form.is_valid():
            raise serializers.ValidationError({name: _sentences(form)})
        form.save()

    def _typed(self, given: Given) -> dict[str, Any]:
        """What a browser sends once what is not wanted was ticked for deletion, and new rows were typed below."""
        rows, new, prefix = list(self.rows), list(given), self._shape.get_default_prefix()
        data: dict[str, Any] = {}
        for number, row in enumerate(rows):
            values = {name: getattr(row, name) for name in self._columns}
            stays = values in new
            if stays:
                new.remove(values)
            data |= _boxes(f"{prefix}-{number}", values | {"id": row.pk} | ({} if stays else {"DELETE": "on"}))
        for number, values in enumerate(new, start=len(rows)):
            data |= _boxes(f"{prefix}-{number}", values)
        return data | {f"{prefix}-TOTAL_FORMS": len(rows) + len(new), f"{prefix}-INITIAL_FORMS": len(rows)}


def refuse_unseen(request: Request, whose: Model, model: type[Model]) -> None:
    """Raises Http404 where the page of `whose` does not show them."""
    asked = request._request
    shown = admin.site._registry[type(whose)].get_inline_instances(asked, whose)
    if not any(inline.model is model and inline.has_view_permission(asked, whose) for inline in shown):
        raise Http404


def _formset(request: Request, whose: Model, model: type[Model]) -> tuple[Any, InlineModelAdmin[Any, Any]]:
    asked = request._request
    for shape, inline in admin.site._registry[type(whose)].get_formsets_with_inlines(asked, whose):
        if inline.model is model and inline.has_change_permission(asked, whose):
            return shape, inline
    raise Http404


def _boxes(prefix: str, values: dict[str, Any]) -> dict[str, Any]:
    return {f"{prefix}-{name.removesuffix('_id')}": value for name, value in values.items()}


def _sentences(form: Any) -> list[str]:
    found = [one for errors in form.errors for sentences in errors.values() for one in sentences]
    return [str(one) for one in (*found, *form.non_form_errors())]
