"""The two endpoints of a kind of row: its list, and one of them."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.api.fields import LineField
from backend.api.public.requests import parse_request
from backend.api.schema import MessageAnswer, Operation, described
from backend.api.staff.as_read import if_match
from backend.api.staff.auth import StaffView
from backend.api.staff.fields import NamesField
from backend.api.staff.lists import RowsRequest, page, requested, sparse
from backend.api.staff.records import changes
from backend.api.staff.records.record import Record, tag
from backend.core import disclosures
from backend.core.disclosures import Act
from backend.core.errors import required


class RecordView(StaffView):
    """What both share."""

    record: ClassVar[Record]

    def may_read(self) -> bool:
        return self.record.page.has_view_permission(self.request._request)

    def may_act(self) -> bool:
        return self.may_read()


class Records(RecordView):
    """GET: rows as the desk's page lists them; `next` is the `after` of the next page."""

    wanted: ClassVar[type[RowsRequest]]

    def may_read(self) -> bool:
        return super().may_read() or (self.record.is_choice and self.access.sees_all)

    def get(self, request: Request) -> Response:
        asked = parse_request(self.wanted, request.query_params)
        given, record = asked.validated_data, self.record
        rows = self._rows(request).filter(asked.lookups())
        if given.get("q"):
            rows = record.page.get_search_results(request._request, rows, given["q"])[0]
        found, next_id = page(rows, given["after"], given["limit"], order=record.order)
        if given.get("q"):
            disclosures.note_act(Act.SEARCHED, record.model, [row.pk for row in found])
        shown = record.shown(record.row, found, given["fields"])
        return Response({record.name.replace("-", "_"): shown, "next": next_id})

    def _rows(self, request: Request) -> Any:
        if self.record.is_choice and self.access.sees_all:
            return self.record.with_relations(self.record.model._default_manager.all())
        return self.record.rows(request)


class MakesRecords(Records):
    """GET: rows as the desk's page lists them; `next` is the `after` of the next page. POST: a new one."""

    def may_act(self) -> bool:
        return self.record.page.has_add_permission(self.request._request)

    def post(self, request: Request) -> Response:
        takes = required(self.record.takes, "takes", self.record)
        given = parse_request(takes, request.data).validated_data
        return _answer(self.record, changes.make(self.record, request, given), status=201)


class OneRecord(RecordView):
    """GET: one row."""

    wanted: ClassVar[type[serializers.Serializer[Any]]]

    def get(self, request: Request, row_id: int) -> Response:
        names = parse_request(self.wanted, request.query_params).validated_data["fields"]
        return _answer(self.record, self.record.one(request, row_id), names)


class ChangesRecord(OneRecord):
    """GET: one row. PATCH: change what is sent of it, and leave the rest. DELETE: unless another row needs it."""

    checks_tag = True

    def patch(self, request: Request, row_id: int) -> Response:
        body = required(self.record.takes, "takes", self.record)(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        changed = changes.change(self.record, request, row_id, body.validated_data, sent_tag=if_match(request))
        return _answer(self.record, changed)

    def delete(self, request: Request, row_id: int) -> Response:
        changes.delete(self.record, request, row_id, sent_tag=if_match(request))
        return Response({"message": "It is deleted."})


def _answer(record: Record, row: Any, names: Any = None, *, status: int = 200) -> Response:
    shown = record.shown(record.answer, [row], names)[0]
    return Response(shown, status=status, headers={"ETag": tag(row)})


def list_of(record: Record) -> type[APIView]:
    """The endpoint of the list."""
    filters = dict(record.filters)
    if record.searches:
        filters["q"] = LineField("Please enter what you look for.", max_length=100, required=False, default="")
    wanted = requested(record.row, **filters)
    rows = {record.name.replace("-", "_"): sparse(record.row)(many=True)}
    next_id = serializers.IntegerField(allow_null=True, help_text="The `after` of the next page; null on the last.")
    answer = type(f"{_kind(record)}ListAnswer", (serializers.Serializer,), {**rows, "next": next_id})
    name = _name(record)
    operations = {"get": Operation(f"staff_{name}", answer, wanted)}
    if record.takes is not None:
        operations["post"] = Operation(f"staff_add_{name}", record.answer, record.takes, 201)
    base = Records if record.takes is None else MakesRecords
    return _view(base, record, wanted, operations)


def one_of(record: Record) -> type[APIView]:
    """The endpoint of one row."""
    fields = NamesField(list(record.answer().fields))
    wanted = type(f"{_kind(record)}FieldsRequest", (serializers.Serializer,), {"fields": fields})
    name = _name(record)
    operations = {"get": Operation(f"staff_one_of_{name}", sparse(record.answer), wanted)}
    if record.takes is not None:
        operations["patch"] = Operation(f"staff_change_{name}", record.answer, record.takes)
        operations["delete"] = Operation(f"staff_delete_{name}", MessageAnswer)
    base = OneRecord if record.takes is None else ChangesRecord
    return _view(base, record, wanted, operations)


def _view(base: type[RecordView], record: Record, wanted: type[Any], operations: dict[str, Operation]) -> type[APIView]:
    namespace = {"record": record, "wanted": wanted, "area": record.area, "__doc__": base.__doc__}
    view: Any = type(f"{_kind(record)}{base.__name__}", (base,), namespace)
    decorated: type[APIView] = described(**operations)(view)
    return decorated


def _kind(record: Record) -> str:
    return record.model.__name__


def _name(record: Record) -> str:
    return record.name.replace("-", "_")
