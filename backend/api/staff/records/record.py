"""One kind of row that staff keep, and the page of the desk whose rules hold for it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db.models import Model, QuerySet
from django.forms.models import model_to_dict
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request

from backend.accounts.scopes import Area
from backend.api.staff.as_read import digest
from backend.core import disclosures


@dataclass(frozen=True)
class Record:
    """`row` is a line of the list, `whole` one by itself, `takes` what may be sent; without it nothing changes here."""

    name: str  # in addresses, and of the list in its answer
    model: type[Model]
    area: Area
    row: type[serializers.Serializer[Any]]
    whole: type[serializers.Serializer[Any]] | None = None
    takes: type[serializers.Serializer[Any]] | None = None
    filters: dict[str, Any] = field(default_factory=dict)
    order: str = "-pk"
    searches: bool = False
    is_choice: bool = False  # whoever decides about bookings chooses from the list
    notes: tuple[str, ...] = ()  # what of a row is recorded when it is shown, and does not record itself
    beside: tuple[str, ...] = ()  # relations that are read with it
    behind: tuple[str, ...] = ()  # those to many

    @property
    def answer(self) -> type[serializers.Serializer[Any]]:
        return self.whole or self.row

    @property
    def page(self) -> ModelAdmin[Any]:
        """Of the desk. Its permissions, rows, forms and history are ours."""
        return admin.site._registry[self.model]

    def rows(self, request: Request) -> QuerySet[Any]:
        """Those that whoever asks sees on the page."""
        return self.with_relations(self.page.get_queryset(request._request))

    def with_relations(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Read in as many queries for a page as for one row."""
        return rows.select_related(*self.beside).prefetch_related(*self.behind)

    def one(self, request: Request, pk: int) -> Model:
        """Raises Http404 for what is not there, and what is not for them."""
        found: Model | None = self.rows(request).filter(pk=pk).first()
        if found is None or not self.page.has_view_permission(request._request, found):
            raise Http404
        return found

    def shown(
        self, answer: type[serializers.Serializer[Any]], rows: Collection[Model], names: Collection[str] | None
    ) -> list[dict[str, Any]]:
        """What is answered of each; what it shows is recorded."""
        shape = answer()
        for name in set(shape.fields) - set(names if names is not None else shape.fields):
            shape.fields.pop(name)
        noted = [name for name in self.notes if name in shape.fields]
        if noted and rows:
            disclosures.note_ids(self.model, [row.pk for row in rows], *noted)
        return [dict(shape.to_representation(row)) for row in rows]


def tag(row: Model) -> str:
    """Of its columns as they are stored: another one after every change."""
    with disclosures.unseen():
        values = {name: _plain(value) for name, value in model_to_dict(row).items()}
    return digest(sorted(values.items()))


def _plain(value: Any) -> str:
    return ",".join(str(one.pk) for one in value) if isinstance(value, list) else str(value)
