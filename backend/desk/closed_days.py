"""Days on which the practice is closed, one or a range, and what becomes of the sessions that stand on them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from backend.bookings import actors
from backend.bookings.access import AccessPolicy
from backend.bookings.lifecycle.absence import decide_each, preview_each
from backend.bookings.models import ClosedDay
from backend.desk.affected import MEND, STAYS, DecisionsForm, announce, foretold, rows
from backend.desk.consequences import Consequences
from backend.desk.forms import opened
from backend.desk.page import Page, render
from backend.scheduling.rebooking_options import closed_day_options

DAYS_MOST = 92  # closed at once: a quarter; more is a typing error
NAME = "bookings_closedday_sessions"


class ClosedDayForm(forms.ModelForm[ClosedDay]):
    """A weekday or a date; a range of dates becomes a row for each day."""

    until = forms.DateField(
        required=False,
        label="until",
        help_text="The last of several days, if there are several. Empty: only this date.",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )

    class Meta:
        model = ClosedDay
        fields = ("weekday", "date", "until", "note")

    def clean(self) -> dict[str, Any]:
        """The range begins with the date, and is no longer than DAYS_MOST."""
        typed = super().clean() or self.cleaned_data
        first, last = typed.get("date"), typed.get("until")
        if last is None:
            return typed
        if first is None or not timedelta(0) <= last - first < timedelta(days=DAYS_MOST):
            self.add_error("until", f"Give the first date, and a last one up to {DAYS_MOST} days on.")
        return typed

    def days_after(self) -> list[date]:
        """The rest of the range. Call after `is_valid()`."""
        first, last = self.cleaned_data.get("date"), self.cleaned_data.get("until")
        return [first + timedelta(days=n) for n in range(1, (last - first).days + 1)] if first and last else []


def close_rest(form: ClosedDayForm) -> None:
    """The rest of a range, but for what is closed already."""
    days = [ClosedDay(date=day, note=form.instance.note) for day in form.days_after()]
    ClosedDay.objects.bulk_create(days, ignore_conflicts=True)


def sessions(request: HttpRequest) -> HttpResponse:
    """GET, and POST with `preview`: what would happen. POST: it happens; what could not is told."""
    now, is_post, actor = timezone.now(), request.method == "POST", actors.for_account(request.user)
    ways = closed_day_options(now=now)
    form = DecisionsForm(ways, request.POST if is_post else None, now=now)
    is_unfit = is_post and not form.is_valid()
    if is_post and not is_unfit and "preview" not in request.POST:
        note = form.cleaned_data["note_to_visitor"]
        announce(request, decide_each(form.decisions(), note_to_visitor=note, actor=actor, now=now))
        return redirect(f"admin:{NAME}" if closed_day_options(now=now) else "admin:bookings_closedday_changelist")
    follows: dict[int, Consequences] = {}
    tried = form if is_post else opened(form)
    if tried.is_valid():
        note = tried.cleaned_data["note_to_visitor"]
        follows = foretold(preview_each(tried.decisions(), note_to_visitor=note, actor=actor, now=now))
    return render(
        request,
        "admin/bookings/closedday/sessions.html",
        title="Sessions on closed days",
        model=ClosedDay,
        status=400 if is_unfit else 200,
        form=form,
        rows=rows(ways, form, follows, otherwise=MEND if is_unfit else STAYS),
    )


def _may_decide(access: AccessPolicy) -> bool:
    return access.decides


PAGE = Page("sessions/", NAME, _may_decide, sessions)
