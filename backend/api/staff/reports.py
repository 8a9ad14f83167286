"""The practice in sums: a month, any days by psychologist, and what a sponsor may know."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.scopes import Area
from backend.api.fields import DayField, IdField
from backend.api.public.requests import parse_request
from backend.api.schema import Operation, described
from backend.api.staff.auth import StaffView
from backend.api.staff.docs import NamedAnswer
from backend.api.staff.fields import MonthField
from backend.api.words import WordField
from backend.bookings.models import Booking, Outcome
from backend.people.models import Corporate, Psychologist
from backend.reports import days, monthly_report, numbers, sponsor_report
from backend.reports.numbers import Numbers
from backend.reports.sponsor_report import Part, SponsorMonthReport, Sum, Untold

_DAY = "Please write the day as YYYY-MM-DD."
_MAYBE: dict[str, Any] = {"required": False, "allow_null": True, "default": None}
_MINUTE = timedelta(minutes=1)


class SpanRequest(serializers.Serializer[Any]):
    """From `first` to `last`, both counted, on the practice's clock; without them the month so far."""

    first = DayField(_DAY, **_MAYBE)
    last = DayField(_DAY, **_MAYBE)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        lacking = [name for name in ("first", "last") if attrs[name] is None]
        if len(lacking) == 1:
            raise serializers.ValidationError({lacking[0]: _DAY})
        if lacking:
            attrs["first"], attrs["last"] = days.this_month(timezone.now())
        if found := days.faults(attrs["first"], attrs["last"]):
            raise serializers.ValidationError(found)
        return attrs

    def days(self) -> dict[str, str]:
        """As they are answered."""
        return {name: self.validated_data[name].isoformat() for name in ("first", "last")}

    def instants(self) -> tuple[datetime, datetime]:
        """When they begin, and when they are over."""
        return days.instants_of(self.validated_data["first"], self.validated_data["last"])


class NumbersRequest(SpanRequest):
    psychologist_id = IdField("Please choose a psychologist.", **_MAYBE)

    def validate_psychologist_id(self, value: int | None) -> int | None:
        if value is not None and not Psychologist.objects.filter(pk=value).exists():
            raise serializers.ValidationError("Please choose a psychologist.")
        return value


class NumbersAnswer(serializers.Serializer[Any]):
    """Sessions on the day on which they take place, money on the day on which it moved, the rest on the day of it."""

    sessions = serializers.IntegerField(help_text="That take place, or took.")
    attended = serializers.IntegerField()
    no_shows = serializers.IntegerField()
    busy_minutes = serializers.IntegerField()
    open_minutes = serializers.IntegerField(help_text="What the hours offer, without closed days and time off.")
    occupancy_percent = serializers.IntegerField(source="occupancy", allow_null=True, help_text="Null: no hours.")
    paid_paise = serializers.IntegerField()
    given_back_paise = serializers.IntegerField()
    unpaid_paise = serializers.IntegerField(help_text="Held, and due at the practice.")
    cancelled_by_visitor = serializers.IntegerField(source="by_visitor")
    cancelled_late_by_visitor = serializers.IntegerField(source="by_visitor_late")
    cancelled_by_practice = serializers.IntegerField(source="by_practice", help_text="Or declined.")
    not_answered_in_time = serializers.IntegerField(source="unanswered")
    not_paid_in_time = serializers.IntegerField(source="not_paid")


class NumbersLineAnswer(NumbersAnswer):
    psychologist = NamedAnswer(allow_null=True, help_text="Null: bookings that have none.")


class NumbersReportAnswer(serializers.Serializer[Any]):
    first = serializers.DateField()
    last = serializers.DateField()
    psychologists = NumbersLineAnswer(many=True)
    together = NumbersAnswer()


class RequestsOfDayAnswer(serializers.Serializer[Any]):
    day = serializers.DateField()
    requests = serializers.IntegerField()
    paid_paise = serializers.IntegerField()


class AnsweredAnswer(serializers.Serializer[Any]):
    within_hours = serializers.IntegerField(allow_null=True, help_text="And not within those before; null: later.")
    requests = serializers.IntegerField()


class OutcomeCountAnswer(serializers.Serializer[Any]):
    outcome = WordField(Outcome)
    sessions = serializers.IntegerField()


class SessionsOfOneAnswer(serializers.Serializer[Any]):
    name = serializers.CharField()
    sessions = serializers.IntegerField()


class SessionsOfPsychologistAnswer(SessionsOfOneAnswer):
    no_shows = serializers.IntegerField()


class MonthAnswer(serializers.Serializer[Any]):
    """Of the bookings that you see: all, or your own. A session counts in the month in which it takes place."""

    month = serializers.CharField(help_text="YYYY-MM")
    requests = serializers.IntegerField()
    unanswered = serializers.IntegerField()
    median_answer_minutes = serializers.IntegerField(allow_null=True, help_text="Null: none was answered.")
    answered = AnsweredAnswer(many=True)
    paid_paise = serializers.IntegerField()
    given_back_paise = serializers.IntegerField()
    outcomes = OutcomeCountAnswer(many=True, help_text="Of sessions that are over.")
    days = RequestsOfDayAnswer(many=True)
    psychologists = SessionsOfPsychologistAnswer(many=True)
    sponsors = SessionsOfOneAnswer(many=True)


class MonthRequest(serializers.Serializer[Any]):
    month = MonthField("Please write the month as YYYY-MM.", **_MAYBE)


class SumAnswer(serializers.Serializer[Any]):
    sessions = serializers.IntegerField(allow_null=True)
    untold = WordField(Untold, allow_null=True, help_text="Why there is no number.")


class SponsorMonthReportAnswer(serializers.Serializer[Any]):
    """What became of the sessions that the month's allowance held."""

    month = serializers.CharField(help_text="YYYY-MM")
    reserved = SumAnswer()
    held = SumAnswer()
    not_attended = SumAnswer()
    cancelled_late = SumAnswer()
    returned = SumAnswer(help_text="Cancelled in time, or by us.")


class SponsorReportAnswer(serializers.Serializer[Any]):
    """Months that are closed, the newest first. No sum speaks of fewer people than `people_least`."""

    corporate = NamedAnswer()
    people_least = serializers.IntegerField()
    months = SponsorMonthReportAnswer(many=True)


_PARTS = {
    "held": Part.HELD,
    "not_attended": Part.NO_SHOW,
    "cancelled_late": Part.CANCELLED_LATE,
    "returned": Part.RETURNED,
}


class ReportView(StaffView):
    """Of the whole practice: for who may see its money."""

    area = Area.REPORTS

    def may_read(self) -> bool:
        return self.access.sees_numbers


@described(get=Operation("staff_numbers", NumbersReportAnswer, NumbersRequest))
class NumbersReport(ReportView):
    """GET: any days in numbers, by psychologist and together."""

    def get(self, request: Request) -> Response:
        asked = parse_request(NumbersRequest, request.query_params)
        found = numbers.lines(*asked.instants(), asked.validated_data["psychologist_id"], now=timezone.now())
        whole = _numbers(numbers.together(found))
        return Response({**asked.days(), "psychologists": [_line(one) for one in found], "together": whole})


def _line(line: numbers.Line) -> dict[str, Any]:
    who = None if line.psychologist_id is None else {"id": line.psychologist_id, "name": line.name}
    return {"psychologist": who, **_numbers(line.numbers)}


def _numbers(found: Numbers) -> dict[str, Any]:
    minutes = {"busy_minutes": found.busy // _MINUTE, "open_minutes": found.open // _MINUTE}
    names = {name: field.source or name for name, field in NumbersAnswer().fields.items() if name not in minutes}
    return {**{name: getattr(found, source) for name, source in names.items()}, **minutes}


@described(get=Operation("staff_month", MonthAnswer, MonthRequest))
class MonthReport(ReportView):
    """GET: one month: requests, how soon they were answered, money, and what became of sessions."""

    def may_read(self) -> bool:
        return self.access.sees_bookings and self.access.sees_sums

    def get(self, request: Request) -> Response:
        now = timezone.now()
        month: date = parse_request(MonthRequest, request.query_params).validated_data["month"]
        seen = Booking.objects.filter(self.access.bookings())
        found = monthly_report.read_monthly_report(seen, month or days.this_month(now)[0], now=now)
        return Response(_month(found))


def _month(found: monthly_report.MonthlyReport) -> dict[str, Any]:
    within = [most // timedelta(hours=1) for most in monthly_report.ANSWERED_WITHIN]
    answered = zip((*within, None), found.answered_within, strict=True)
    return {
        "month": f"{found.first_day:%Y-%m}",
        "requests": found.requests.total(),
        "unanswered": found.unanswered,
        "median_answer_minutes": None if found.median_answer is None else found.median_answer // _MINUTE,
        "answered": [{"within_hours": hours, "requests": count} for hours, count in answered],
        "paid_paise": found.paid_paise.total(),
        "given_back_paise": found.given_back_paise,
        "outcomes": [{"outcome": one, "sessions": count} for one, count in found.outcomes.most_common()],
        "days": [
            {"day": day.isoformat(), "requests": found.requests[day], "paid_paise": found.paid_paise[day]}
            for day in found.days
        ],
        "psychologists": [
            {"name": name, "sessions": count, "no_shows": found.no_shows[name]}
            for name, count in found.sessions.most_common()
        ],
        "sponsors": [{"name": name, "sessions": count} for name, count in found.sponsored.most_common()],
    }


@described(get=Operation("staff_sponsor_report", SponsorReportAnswer))
class SponsorReport(ReportView):
    """GET: what a sponsor may know of its sessions. Nobody can be told from it."""

    model = Corporate

    def may_read(self) -> bool:
        return admin.site._registry[Corporate].has_view_permission(self.request._request)

    def get(self, _request: Request, row_id: int) -> Response:
        whose = get_object_or_404(Corporate, pk=row_id)
        months = sponsor_report.report(whose, now=timezone.now())
        named = {"id": whose.pk, "name": whose.name}
        told = [_sponsors_month(one) for one in months]
        return Response({"corporate": named, "people_least": sponsor_report.PEOPLE_LEAST, "months": told})


def _sponsors_month(found: SponsorMonthReport) -> dict[str, Any]:
    parts = {name: _sum(found.parts[part]) for name, part in _PARTS.items()}
    return {"month": f"{found.first_day:%Y-%m}", "reserved": _sum(found.reserved), **parts}


def _sum(told: Sum) -> dict[str, Any]:
    is_untold = isinstance(told, Untold)
    return {"sessions": None if is_untold else told, "untold": str(told) if is_untold else None}
