"""The page for a psychologist who cannot come: every booking in the way, what could happen to it, and one confirm."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from backend.bookings import actors
from backend.bookings.lifecycle.absence import Absence, DecisionResult, preview_absence, record_absence
from backend.core.formatting import practice_zone, short_day_and_time, zone_name
from backend.desk.affected import MEND, STAYS, DecisionsForm, Row, announce, foretold, rows
from backend.desk.consequences import Consequences
from backend.desk.forms import opened, style_fields
from backend.desk.page import Page, render
from backend.desk.session_fields import SlotStartField
from backend.people.hours import Clock
from backend.people.models import Psychologist
from backend.scheduling.free_slots import terms_of
from backend.scheduling.rebooking_options import rebooking_options


class AbsenceForm(forms.Form):
    """Start and end of an absence; the rest of today by default."""

    start = SlotStartField()
    end = SlotStartField()

    def __init__(self, psychologist: Psychologist, typed: Any = None, *, now: datetime) -> None:
        clock = Clock(terms_of(psychologist).zone)
        tomorrow = clock.instant(clock.date(now) + timedelta(days=1), time.min)
        is_typed = typed is not None and "start_0" in typed
        super().__init__(typed if is_typed else None, initial={"start": now, "end": tomorrow})
        for name, label in (("start", "Away from"), ("end", "until")):
            self.fields[name].label = f"{label} ({zone_name()})"
        style_fields(self)

    def clean(self) -> dict[str, Any] | None:
        """The end is after the start."""
        typed = super().clean() or self.cleaned_data
        start, end = typed.get("start"), typed.get("end")
        if start and end and end <= start:
            self.add_error("end", "The end must be after the start.")
        return typed

    def span(self) -> tuple[datetime, datetime]:
        """What was typed, else the rest of today."""
        values = self.cleaned_data if self.is_bound else self.initial
        return values["start"], values["end"]


def away(request: HttpRequest, psychologist_id: int) -> HttpResponse:
    """GET, and POST with `preview`: what would happen. POST: it happens; what could not is told."""
    psychologist = get_object_or_404(Psychologist, pk=psychologist_id)
    now, is_post = timezone.now(), request.method == "POST"
    when = AbsenceForm(psychologist, request.POST if is_post else request.GET, now=now)
    if when.is_bound and not when.is_valid():
        return _page(request, psychologist, when, None, [], 400 if is_post else 200)
    start, end = when.span()
    ways = rebooking_options(psychologist.pk, start, end, now=now)
    form = DecisionsForm(ways, request.POST if is_post else None, now=now)
    absence = Absence(psychologist.pk, start, end)
    actor = actors.for_account(request.user)
    is_unfit = is_post and not form.is_valid()
    if not is_post or is_unfit or "preview" in request.POST:
        follows = {} if is_unfit else _follow(absence, form if is_post else opened(form), actor=actor, now=now)
        found = rows(ways, form, follows, otherwise=MEND if is_unfit else STAYS)
        return _page(request, psychologist, when, form, found, 400 if is_unfit else 200)
    note = form.cleaned_data["note_to_visitor"]
    results = record_absence(absence, form.decisions(), note_to_visitor=note, actor=actor, now=now)
    _tell(request, psychologist, absence, results)
    return redirect("admin:people_psychologist_change", psychologist.pk)


def _page(
    request: HttpRequest,
    psychologist: Psychologist,
    when: AbsenceForm,
    form: DecisionsForm | None,
    found: list[Row],
    status: int,
) -> HttpResponse:
    start, end = when.span() if form else (None, None)
    return render(
        request,
        "admin/people/psychologist/away.html",
        title=f"Away: {psychologist}",
        model=Psychologist,
        status=status,
        psychologist=psychologist,
        when=when,
        form=form,
        rows=found,
        span=f"{short_day_and_time(start)}, to {short_day_and_time(end)}",
        start=_typed(start),
        end=_typed(end),
    )


def _follow(absence: Absence, form: DecisionsForm, *, actor: str, now: datetime) -> dict[int, Consequences]:
    """What each decision would do; nothing of it is done."""
    if not form.is_valid():
        return {}
    note = form.cleaned_data["note_to_visitor"]
    return foretold(preview_absence(absence, form.decisions(), note_to_visitor=note, actor=actor, now=now))


def _typed(at: datetime | None) -> tuple[str, str]:
    """As the two inputs of a date and an hour send it."""
    local = at.astimezone(practice_zone()) if at else None
    return (f"{local:%Y-%m-%d}", f"{local:%H:%M:%S}") if local else ("", "")


def _tell(request: HttpRequest, psychologist: Psychologist, absence: Absence, results: list[DecisionResult]) -> None:
    messages.success(
        request,
        f"{psychologist} is away from {short_day_and_time(absence.start)}, to {short_day_and_time(absence.end)}.",
    )
    announce(request, results)


PAGE = Page("<int:psychologist_id>/away/", "people_psychologist_away", lambda access: access.records_absences, away)
