"""When a psychologist gives sessions: hours, replaced as a whole as their page does, and time off."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.scopes import Area
from backend.api.fields import ChoiceField, ClockField, DayField, IdField, InstantField, LineField, WholeNumberField
from backend.api.public.requests import parse_request
from backend.api.responses import hour_and_minute
from backend.api.schema import MessageAnswer, Operation, described
from backend.api.staff.as_read import digest, if_match, refuse_other
from backend.api.staff.auth import StaffView
from backend.api.staff.below import Below
from backend.api.staff.lists import page, requested, sparse
from backend.api.staff.records.shapes import Instant
from backend.api.words import WordField
from backend.bookings.lifecycle.absence import Absence, mark_busy, remove_time_off
from backend.people.models import HoursMode, Psychologist, TimeOff, WorkingHours, shown_hours

ROWS_MOST = 100
_WHEN = "Please write the time with its offset, such as 2026-11-24T17:30:00+05:30."
_TIME = "Please write the time as HH:MM."
_MAYBE: dict[str, Any] = {"required": False, "allow_null": True, "default": None}
COLUMNS = ("weekday", "day", "starts_at", "ends_at", "offers", "location_id")


class SpanRequest(serializers.Serializer[Any]):
    """Every week, or one day; 00:00 is the end of the day. On the psychologist's own clock."""

    weekday = WholeNumberField("Please give the weekday, 0 is Monday.", least=0, most=6, **_MAYBE)
    day = DayField("Please write the day as YYYY-MM-DD.", **_MAYBE)
    starts_at = ClockField(_TIME)
    ends_at = ClockField(_TIME)
    offers = ChoiceField("Please choose for which sessions.", HoursMode)
    location_id = IdField("Please choose a location.", **_MAYBE)


class HoursRequest(serializers.Serializer[Any]):
    hours = SpanRequest(many=True, max_length=ROWS_MOST)  # type: ignore[call-arg]  # of its list


class SpanAnswer(serializers.Serializer[Any]):
    weekday = serializers.IntegerField(allow_null=True)
    day = serializers.DateField(allow_null=True)
    starts_at = serializers.CharField(help_text="HH:MM")
    ends_at = serializers.CharField(help_text="HH:MM")
    offers = WordField(HoursMode)
    location_id = serializers.IntegerField(allow_null=True)


class HoursAnswer(serializers.Serializer[Any]):
    hours = SpanAnswer(many=True)


class PsychologistView(StaffView):
    """Of one psychologist whose page the asker sees."""

    area = Area.PRACTICE
    model = Psychologist

    def may_read(self) -> bool:
        return admin.site._registry[Psychologist].has_view_permission(self.request._request)

    def may_act(self) -> bool:
        return self.may_read()

    def whose(self, row_id: int) -> Psychologist:
        """Raises Http404 for one whom they do not see."""
        desk = admin.site._registry[Psychologist]
        found: Psychologist = get_object_or_404(desk.get_queryset(self.request._request), pk=row_id)
        return found


@described(get=Operation("staff_hours", HoursAnswer), put=Operation("staff_replace_hours", HoursAnswer, HoursRequest))
class Hours(PsychologistView):
    """GET: the hours of every week, and of single days that are not long over. PUT: these and no others."""

    checks_tag = True

    def get(self, _request: Request, row_id: int) -> Response:
        return _answer(shown_hours(WorkingHours.objects.filter(psychologist=self.whose(row_id)), now=timezone.now()))

    @transaction.atomic
    def put(self, request: Request, row_id: int) -> Response:
        whose = self.whose(row_id)
        stands = Below(request, whose, WorkingHours, COLUMNS)
        given = parse_request(HoursRequest, request.data).validated_data["hours"]
        Psychologist.objects.select_for_update().get(pk=whose.pk)
        refuse_other(if_match(request), _tag(stands.rows))
        stands.replace([{name: span[name] for name in COLUMNS} for span in given], name="hours")
        return _answer(stands.rows)


def _answer(rows: QuerySet[WorkingHours]) -> Response:
    return Response({"hours": [_span(row) for row in rows.all()]}, headers={"ETag": _tag(rows)})


def _tag(rows: QuerySet[WorkingHours]) -> str:
    return digest(sorted(repr(_span(row)) for row in rows.all()))


def _span(row: WorkingHours) -> dict[str, Any]:
    hours = {"starts_at": hour_and_minute(row.starts_at), "ends_at": hour_and_minute(row.ends_at)}
    day = row.day.isoformat() if row.day else None
    return {"weekday": row.weekday, "day": day, **hours, "offers": row.offers, "location_id": row.location_id}


class TimeOffAnswer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    starts_at = Instant()
    ends_at = Instant()
    note = serializers.CharField(allow_blank=True)


class TimeOffListAnswer(serializers.Serializer[Any]):
    time_off = sparse(TimeOffAnswer)(many=True)
    next = serializers.IntegerField(allow_null=True)


class TimeOffRequest(serializers.Serializer[Any]):
    """The end is not in it."""

    start = InstantField(_WHEN)
    end = InstantField(_WHEN)
    note = LineField("Please write the note as one line.", max_length=120, required=False, allow_blank=True, default="")

    def absence(self, psychologist_id: int) -> Absence:
        """Whose and when."""
        start: datetime = self.validated_data["start"]
        return Absence(psychologist_id, start, self.validated_data["end"], self.validated_data["note"])


WantedTimeOff = requested(TimeOffAnswer)


@described(
    get=Operation("staff_time_off", TimeOffListAnswer, WantedTimeOff),
    post=Operation("staff_add_time_off", TimeOffAnswer, TimeOffRequest, 201),
)
class TimeOffs(PsychologistView):
    """GET: time off, the newest first. POST: nobody is offered this time; what is booked in it refuses: time_booked."""

    def may_act(self) -> bool:
        return self.access.keeps_time_of().exists()

    def get(self, request: Request, row_id: int) -> Response:
        given = parse_request(WantedTimeOff, request.query_params).validated_data
        rows = TimeOff.objects.filter(psychologist=self.whose(row_id))
        found, next_id = page(rows, given["after"], given["limit"])
        return Response({"time_off": [_off(row, given["fields"]) for row in found], "next": next_id})

    def post(self, request: Request, row_id: int) -> Response:
        body = parse_request(TimeOffRequest, request.data)
        whose = get_object_or_404(self.access.keeps_time_of(), pk=row_id)
        return Response(_off(mark_busy(body.absence(whose.pk))), status=201)


@described(delete=Operation("staff_delete_time_off", MessageAnswer))
class OneTimeOff(PsychologistView):
    """DELETE: the time is offered again."""

    def may_act(self) -> bool:
        return self.access.keeps_time_of().exists()

    def delete(self, _request: Request, row_id: int, time_off_id: int) -> Response:
        whose = get_object_or_404(self.access.keeps_time_of(), pk=row_id)
        row = get_object_or_404(TimeOff, pk=time_off_id, psychologist=whose)
        if not self.access.may_free(row):
            raise Http404
        remove_time_off(whose.pk, row.pk)
        return Response({"message": "The time is offered again."})


def _off(row: TimeOff, names: Any = None) -> dict[str, Any]:
    shown = dict(TimeOffAnswer().to_representation(row))
    return {name: value for name, value in shown.items() if names is None or name in names}
