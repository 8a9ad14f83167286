"""A row is made, changed or deleted as its page of the desk does it: by the same form, permission and history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.db.models.deletion import ProtectedError
from django.forms import ModelForm
from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request

from backend.api.staff.as_read import refuse_other
from backend.api.staff.records.record import Record, tag
from backend.core import disclosures
from backend.core.errors import Code, Refused, required


@transaction.atomic
def make(record: Record, request: Request, given: Mapping[str, Any]) -> Model:
    """Raises Http404 without the permission, ValidationError for what the form refuses."""
    if not record.page.has_add_permission(request._request):
        raise Http404
    return _saved(record, request, given, None)


@transaction.atomic
def change(record: Record, request: Request, pk: int, given: Mapping[str, Any], *, sent_tag: str) -> Model:
    """Only what was given. Raises Http404, ValidationError. Refuses: changed_since."""
    row = locked(record, request, pk, sent_tag=sent_tag)
    if not record.page.has_change_permission(request._request, row):
        raise Http404
    return _saved(record, request, given, row)


@transaction.atomic
def delete(record: Record, request: Request, pk: int, *, sent_tag: str) -> None:
    """Raises Http404. Refuses: changed_since, row_in_use."""
    row, page = locked(record, request, pk, sent_tag=sent_tag), record.page
    if not page.has_delete_permission(request._request, row):
        raise Http404
    _, _, lacking, protected = page.get_deleted_objects([row], request._request)
    if protected or lacking:
        raise Refused(Code.ROW_IN_USE)
    page.log_deletions(request._request, record.model._default_manager.filter(pk=pk))
    try:
        page.delete_model(request._request, row)
    except ProtectedError as error:
        raise Refused(Code.ROW_IN_USE) from error


def locked(record: Record, request: Request, pk: int, *, sent_tag: str) -> Model:
    """The row until commit, as it was read. Raises Http404. Refuses: changed_since."""
    record.model._default_manager.select_for_update().filter(pk=pk).first()
    row = record.one(request, pk)
    refuse_other(sent_tag, tag(row))
    return row


def _saved(record: Record, request: Request, given: Mapping[str, Any], row: Model | None) -> Model:
    page, asked = record.page, request._request
    shape: Any = page.get_form(asked, row, change=row is not None)
    form = shape(_filled(shape, row, given), instance=row)
    closed = {name: ["You may not change this."] for name in given if name not in form.fields}
    if closed or not form.is_valid():
        raise serializers.ValidationError(_as_sent(record, closed or _sentences(form)))
    with disclosures.unseen():
        saved: Model = page.save_form(asked, form, change=row is not None)
        page.save_model(asked, saved, form, row is not None)
        form.save_m2m()
        told = page.construct_change_message(asked, form, [], row is None)
        (page.log_addition if row is None else page.log_change)(asked, saved, told)
    return saved


def _filled(shape: type[ModelForm[Any]], row: Model | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a browser would send of the form: what stands there, and over it what was given."""
    with disclosures.unseen():
        form = shape(instance=row)
        stands = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    return {**{name: _ids(value) for name, value in stands.items()}, **given}


def _ids(value: Any) -> Any:
    return [getattr(one, "pk", one) for one in value] if isinstance(value, list) else value


def _as_sent(record: Record, sentences: dict[str, list[str]]) -> dict[str, list[str]]:
    """By the names of the API, where those of the form are others."""
    takes = required(record.takes, "takes", record)().fields
    names = {str(field.source): name for name, field in takes.items()}
    return {names.get(name, name): found for name, found in sentences.items()}


def _sentences(form: ModelForm[Any]) -> dict[str, list[str]]:
    """By the names of the form; what it says of the whole stands by itself."""
    return {"row" if name == "__all__" else name: [str(one) for one in found] for name, found in form.errors.items()}
