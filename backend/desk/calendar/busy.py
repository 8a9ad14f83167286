"""An hour or several marked busy from the calendar, and free again: time off, as the psychologist's page keeps it."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from backend.bookings.access import AccessPolicy
from backend.bookings.lifecycle.absence import Absence, mark_busy, remove_time_off
from backend.bookings.refusals import ANSWERS, staff_sentence
from backend.core.errors import Code, Refused
from backend.core.formatting import practice_zone, short_day_and_time
from backend.desk.forms import style_fields
from backend.desk.navigation import local_instant
from backend.desk.page import Page
from backend.people.models import Psychologist, TimeOff

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class BusyForm(forms.Form):
    """Hours of one day, on the practice's clock."""

    psychologist = forms.ModelChoiceField(Psychologist.objects.none(), label="Who", empty_label="Choose")
    day = forms.DateField(widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    start = forms.TimeField(label="Busy from", widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}))
    end = forms.TimeField(label="to", widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}))
    note = forms.CharField(required=False, max_length=120, label="Note, for the practice alone")

    def __init__(self, access: AccessPolicy, typed: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(typed, initial=initial)
        people = self.fields["psychologist"]
        assert isinstance(people, forms.ModelChoiceField)
        people.queryset = access.keeps_time_of()
        if people.queryset.count() == 1:
            people.empty_label = None
        style_fields(self)

    def clean(self) -> dict[str, Any]:
        """The end is after the start; 00:00 is the end of the day."""
        typed = super().clean() or self.cleaned_data
        start, end = typed.get("start"), typed.get("end")
        if start is not None and end is not None and time.min != end <= start:
            self.add_error("end", "The end must be after the start.")
        return typed

    def absence(self) -> Absence:
        """Call after `is_valid()`."""
        given = self.cleaned_data
        last = given["day"] + _DAY if given["end"] == time.min else given["day"]
        start = datetime.combine(given["day"], given["start"], practice_zone())
        end = datetime.combine(last, given["end"], practice_zone())
        return Absence(given["psychologist"].pk, start, end, given["note"])


def busy(request: HttpRequest) -> HttpResponse:
    """GET asks from when to when, beside what is marked there already; POST marks it, or says why not."""
    access = AccessPolicy(request.user)
    if request.method != "POST":
        return _ask(request, access, BusyForm(access, initial=_asked(request)), 200)
    form = BusyForm(access, request.POST)
    if not form.is_valid():
        return _ask(request, access, form, 400)
    absence = form.absence()
    try:
        mark_busy(absence)
    except Refused as refused:
        form.add_error(None, f"{staff_sentence(refused)} {refused.context.get('booked', '')}".strip())
        away = _away(access, absence) if refused.code is Code.TIME_BOOKED else ""
        return _ask(request, access, form, ANSWERS[refused.code].status, away=away)
    who = form.cleaned_data["psychologist"]
    span = f"{short_day_and_time(absence.start)}, to {short_day_and_time(absence.end)}"
    return JsonResponse({"told": f"{who} is busy from {span}. Nobody is offered this time."})


def free(request: HttpRequest, time_off_id: int) -> HttpResponse:
    """POST: what was marked is free again."""
    access = AccessPolicy(request.user)
    row = (
        TimeOff.objects.filter(pk=time_off_id, psychologist__in=access.keeps_time_of())
        .select_related("psychologist")
        .first()
    )
    if request.method != "POST" or row is None or not access.may_free(row):
        raise Http404
    remove_time_off(row.psychologist_id, row.pk)
    return JsonResponse({"told": f"{row.psychologist} is not marked busy any more: {_span(row)}."})


def _span(row: TimeOff) -> str:
    return f"{short_day_and_time(row.starts_at)}, to {short_day_and_time(row.ends_at)}"


def _asked(request: HttpRequest) -> dict[str, Any]:
    """From what was clicked on; else the next whole hour."""
    zone, who = practice_zone(), request.GET.get("psychologist", "")
    soon = timezone.now().astimezone(zone).replace(minute=0, second=0, microsecond=0) + _HOUR
    start = local_instant(request.GET.get("start", "")) or soon
    end = local_instant(request.GET.get("end", "")) or start + _HOUR
    local = start.astimezone(zone)
    return {
        "psychologist": int(who) if who.isascii() and who.isdecimal() and len(who) < 10 else None,
        "day": local.date(),
        "start": local.time(),
        "end": end.astimezone(zone).time(),
    }


def _ask(
    request: HttpRequest, access: AccessPolicy, form: BusyForm, status: int, *, away: str = ""
) -> TemplateResponse:
    initial = form.initial or _asked(request)
    at = datetime.combine(initial["day"], initial["start"], practice_zone())
    rows = TimeOff.objects.filter(psychologist__in=access.keeps_time_of(), starts_at__lt=at + _HOUR, ends_at__gt=at)
    if initial["psychologist"] is not None:
        rows = rows.filter(psychologist=initial["psychologist"])
    context = {
        "form": form,
        "marked": [
            (
                row,
                f"{short_day_and_time(row.starts_at)}, to {short_day_and_time(row.ends_at)}",
                access.may_free(row),
            )
            for row in rows.select_related("psychologist")
        ],
        "create": reverse("admin:bookings_booking_new") if access.decides else "",
        "at": initial,
        "away": away,
    }
    return TemplateResponse(request, "admin/desk/_busy.html", context, status=status)


def _away(access: AccessPolicy, absence: Absence) -> str:
    """Where somebody decides about what is booked, filled in; empty for who may not."""
    if not access.records_absences:
        return ""
    typed: dict[str, str] = {}
    for name, at in (("start", absence.start), ("end", absence.end)):
        local = at.astimezone(practice_zone())
        typed |= {f"{name}_0": f"{local:%Y-%m-%d}", f"{name}_1": f"{local:%H:%M}"}
    return f"{reverse('admin:people_psychologist_away', args=[absence.psychologist_id])}?{urlencode(typed)}"


def _may_open(access: AccessPolicy) -> bool:
    return access.keeps_time_of().exists()


PAGES = [
    Page("calendar/busy/", "busy", _may_open, busy),
    Page("calendar/busy/<int:time_off_id>/free/", "free", _may_open, free),
]
