"""A psychologist's hours and time off as parts of their admin page, typed in their own local time."""

from __future__ import annotations

import calendar
from datetime import date, time, timedelta
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils import timezone

from backend.accounts.roles import Ability, has_any_permission
from backend.people.hours import Clock
from backend.people.models import (
    SHOWN_FOR,
    Psychologist,
    TimeOff,
    WorkingHours,
    overlap_sentence,
    share_time,
    shown_hours,
)

_DAY = timedelta(days=1)
WEEKDAYS = list(enumerate(calendar.day_name))


def zone_of(psychologist: Psychologist) -> ZoneInfo:
    """The psychologist's time zone, or the practice's if none is given."""
    return ZoneInfo(psychologist.time_zone or settings.PRACTICE_TIME_ZONE)


class PsychologistFormSet(BaseInlineFormSet[Any, Psychologist, Any]):
    """Each row knows the psychologist as they are typed above it, and not as they are stored."""

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)  # type: ignore[misc]  # Django's own hook, which its stubs leave out
        form.instance.psychologist = self.instance
        return form

    def kept(self) -> list[Any]:
        """The forms that are filled in well and stay."""
        filled = (form for form in self.forms if form.instance.pk or form.has_changed())
        return [form for form in filled if not form.errors and not form.cleaned_data.get("DELETE")]


class HoursForm(forms.ModelForm[WorkingHours]):
    """A span of hours, and the weekdays that get the same: a week is one row to type."""

    also_on = forms.TypedMultipleChoiceField(
        choices=[(number, name[:2]) for number, name in WEEKDAYS],
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Copies these hours to other weekdays.",
    )

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or self.cleaned_data
        if typed.get("also_on") and typed.get("weekday") is None:
            self.add_error("also_on", "Only the hours of a weekday can be copied.")
        return typed

    def copies(self) -> list[WorkingHours]:
        """One for each other weekday that was ticked; not stored yet."""
        own = self.instance
        same = {name: getattr(own, name) for name in ("psychologist", "starts_at", "ends_at", "offers", "location")}
        ticked = self.cleaned_data.get("also_on") or []
        return [WorkingHours(weekday=weekday, **same) for weekday in ticked if weekday != own.weekday]


class HoursFormSet(PsychologistFormSet):
    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)
        form.instance.judged_together = True
        return form

    def clean(self) -> None:
        """No two spans of a day lie over one another; said beside the copy, else beside the later row."""
        super().clean()
        rows = [(form, "starts_at", form.instance) for form in self.kept()]
        copies = [(form, "also_on", hours) for form in self.kept() for hours in form.copies()]
        for (_, _, one), (form, field, other) in combinations([*rows, *copies], 2):
            if share_time(one, other):
                form.add_error(field, overlap_sentence(one))

    def save(self, commit: bool = True) -> Any:
        saved = super().save(commit)
        for form in self.kept() if commit else ():
            for copy in form.copies():
                copy.save()
        return saved


def keeps_own_hours(request: HttpRequest, psychologist: Psychologist | None) -> bool:
    """Whether it is the page of the account that asks."""
    is_own = psychologist is not None and psychologist.user_id == request.user.pk
    return is_own and has_any_permission(request.user, Ability.SEE_OWN)


class OwnOrPermitted:
    """Rows that a psychologist keeps on their own page, and others with the permission of the model."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return keeps_own_hours(request, obj) or super().has_view_permission(request, obj)  # type: ignore[misc]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return keeps_own_hours(request, obj) or super().has_add_permission(request, obj)  # type: ignore[misc]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return keeps_own_hours(request, obj) or super().has_change_permission(request, obj)  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return keeps_own_hours(request, obj) or super().has_delete_permission(request, obj)  # type: ignore[misc]


class WorkingHoursInline(OwnOrPermitted, admin.TabularInline[WorkingHours, Psychologist]):
    """Of every week and of single days, in one list, so that they can be held against one another."""

    model = WorkingHours
    form = HoursForm
    formset = HoursFormSet
    extra = 0
    fields = ["weekday", "also_on", "day", "starts_at", "ends_at", "offers", "location"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkingHours]:
        return shown_hours(super().get_queryset(request), now=timezone.now())


class TimeOffForm(forms.ModelForm[TimeOff]):
    """Whole days, or hours of days; stored as instants."""

    first_day = forms.DateField(label="from", widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    first_time = forms.TimeField(
        label="at",
        required=False,
        help_text="Empty: from the start of the day.",
        widget=forms.TimeInput(format="%H:%M"),
    )
    last_day = forms.DateField(
        label="until",
        required=False,
        help_text="Empty: the same day.",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
    )
    last_time = forms.TimeField(
        label="at",
        required=False,
        help_text="Empty: to the end of the day.",
        widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
    )

    class Meta:
        model = TimeOff
        fields = ("note",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            zone = zone_of(self.instance.psychologist)
            first, last = (at.astimezone(zone) for at in (self.instance.starts_at, self.instance.ends_at))
            is_to_midnight = last.time() == time.min
            self.initial["first_day"] = first.date()
            self.initial["first_time"] = None if first.time() == time.min else first.time()
            self.initial["last_day"] = last.date() - _DAY if is_to_midnight else last.date()
            self.initial["last_time"] = None if is_to_midnight else last.time()

    def clean(self) -> dict[str, Any]:
        """The instants, by the psychologist's clock."""
        typed = super().clean() or self.cleaned_data
        first: date | None = typed.get("first_day")
        if first is None or self.errors:
            return typed
        last: date = typed["last_day"] or first
        clock = Clock(zone_of(self.instance.psychologist))
        start = clock.instant(first, typed["first_time"] or time.min)
        at = typed["last_time"]
        end = clock.instant(last, at) if at else clock.instant(last + _DAY, time.min)
        if end <= start:
            self.add_error("last_time" if at and last == first else "last_day", "The end must be after the start.")
        else:
            self.instance.starts_at, self.instance.ends_at = start, end
        return typed


class TimeOffInline(OwnOrPermitted, admin.TabularInline[TimeOff, Psychologist]):
    model = TimeOff
    form = TimeOffForm
    formset = PsychologistFormSet
    extra = 0
    fields = ["first_day", "first_time", "last_day", "last_time", "note"]
    verbose_name_plural = "time off (slots that are held stay held)"

    def get_queryset(self, request: HttpRequest) -> QuerySet[TimeOff]:
        return super().get_queryset(request).filter(ends_at__gte=timezone.now() - SHOWN_FOR).order_by("starts_at", "pk")
