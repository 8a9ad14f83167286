"""The page for a psychologist who cannot come: every booking in the way, what could happen to it, and one confirm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from backend.admin_pages import instant
from backend.bookings import policy
from backend.bookings.admin import consequences
from backend.bookings.admin.consequences import Consequences
from backend.bookings.admin.done import done
from backend.bookings.admin.forms import NOTE_LONGEST, NoteField, dress
from backend.bookings.admin.offered import Chosen, SlotField, choices, value_of
from backend.bookings.admin.pages import ACTOR_LONGEST
from backend.bookings.admin.refusals import sentence
from backend.bookings.admin.session import SlotStartField
from backend.bookings.free_slots import terms_of
from backend.bookings.lifecycle.absence import Absence, Decision, Done, be_away
from backend.bookings.lifecycle.staff import Move
from backend.bookings.models import Booking
from backend.bookings.ways_out import WaysOut, ways_out
from backend.people.hours import Clock
from backend.people.models import Psychologist
from backend.roles import Ability, may

CANCEL, STAY = "cancel", "stay"


class WhenForm(forms.Form):
    """From when until when somebody is away; first of all, for the rest of today."""

    start = SlotStartField()
    end = SlotStartField()

    def __init__(self, psychologist: Psychologist, typed: Any = None, *, now: datetime) -> None:
        clock = Clock(terms_of(psychologist).zone)
        tomorrow = clock.instant(clock.date(now) + timedelta(days=1), time.min)
        is_typed = typed is not None and "start_0" in typed
        super().__init__(typed if is_typed else None, initial={"start": now, "end": tomorrow})
        for name, label in (("start", "Away from"), ("end", "until")):
            self.fields[name].label = f"{label} ({policy.zone().key} time)"
        dress(self)

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


class FateField(SlotField):
    """Another slot, or one of two words."""

    def to_python(self, value: Any) -> Any:
        return value if value in (CANCEL, STAY) else super().to_python(value)


class DecisionsForm(forms.Form):
    """What becomes of each booking, as it was when the page was opened."""

    note_to_visitor = NoteField(
        required=False,
        max_length=NOTE_LONGEST,
        label="Note to those who are cancelled",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, ways: list[WaysOut], typed: Any = None) -> None:
        super().__init__(typed)
        for way in ways:
            field = FateField(label=str(way.booking), choices=_fates(way), initial=_proposed(way))
            self.fields[f"fate-{way.booking.pk}"] = field
            self.fields[f"seen-{way.booking.pk}"] = forms.IntegerField(
                widget=forms.HiddenInput, initial=way.booking.ledger_sequence
            )
        dress(self)

    def decisions(self) -> list[Decision]:
        """Those that change something. Call after `is_valid()`."""
        found = []
        for name, fate in self.cleaned_data.items():
            if name.startswith("fate-") and fate != STAY:
                booking_id = int(name.removeprefix("fate-"))
                move = Move(fate.start, fate.psychologist_id) if isinstance(fate, Chosen) else None
                found.append(Decision(booking_id, self.cleaned_data[f"seen-{booking_id}"], move))
        return found


@dataclass(frozen=True)
class Row:
    """One booking of the page."""

    booking: Booking
    when: str
    field: forms.BoundField
    seen: forms.BoundField
    if_moved: Consequences
    if_cancelled: Consequences


class AwayPage(admin.ModelAdmin[Psychologist]):
    def may_send_away(self, request: HttpRequest) -> bool:
        """Bookings are moved and cancelled, and the psychologist has time off."""
        return may(request.user, Ability.DECIDE) and may(request.user, Ability.SEND_AWAY)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.away)
        return [path("<int:psychologist_id>/away/", view, name="people_psychologist_away"), *super().get_urls()]

    def away(self, request: HttpRequest, psychologist_id: int) -> HttpResponse:
        """GET: what would happen. POST: it happens; what could not is told."""
        if not self.may_send_away(request):
            raise Http404
        psychologist: Psychologist = get_object_or_404(Psychologist, pk=psychologist_id)
        now, is_post = timezone.now(), request.method == "POST"
        when = WhenForm(psychologist, request.POST if is_post else request.GET, now=now)
        if when.is_bound and not when.is_valid():
            return self._away_page(request, psychologist, when, None, [], 400 if is_post else 200)
        start, end = when.span()
        ways = ways_out(psychologist.pk, start, end, now=now)
        form = DecisionsForm(ways, request.POST if is_post else None)
        if not (is_post and form.is_valid()):
            return self._away_page(request, psychologist, when, form, ways, 400 if is_post else 200)
        absence = Absence(psychologist.pk, start, end)
        actor = f"staff:{request.user.get_username()}"[:ACTOR_LONGEST]
        note = form.cleaned_data["note_to_visitor"]
        _tell(
            request,
            psychologist,
            absence,
            be_away(absence, form.decisions(), note_to_visitor=note, actor=actor, now=now),
        )
        return redirect("admin:people_psychologist_change", psychologist.pk)

    def _away_page(
        self,
        request: HttpRequest,
        psychologist: Psychologist,
        when: WhenForm,
        form: DecisionsForm | None,
        ways: list[WaysOut],
        status: int,
    ) -> HttpResponse:
        start, end = when.span() if form else (None, None)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Away: {psychologist}",
            "psychologist": psychologist,
            "when": when,
            "form": form,
            "rows": [_row(way, form) for way in ways] if form else [],
            "span": f"{instant(start)}, to {instant(end)}",
            "start": _typed(start),
            "end": _typed(end),
        }
        return TemplateResponse(request, "admin/people/psychologist/away.html", context, status=status)


def _fates(way: WaysOut) -> list[tuple[str, str | list[tuple[str, str]]]]:
    groups = (("The same psychologist", way.same), ("Another psychologist", way.others))
    moves = [
        (name, [(value, f"Move to {label}") for value, label in choices(slots)]) for name, slots in groups if slots
    ]
    return [*moves, (CANCEL, "Cancel, all money back"), (STAY, "Leave it as it is, and decide later")]


def _proposed(way: WaysOut) -> str:
    return value_of(way.proposed) if way.proposed else CANCEL


def _row(way: WaysOut, form: DecisionsForm) -> Row:
    booking = way.booking
    return Row(
        booking=booking,
        when=instant(booking.slot_start),
        field=form[f"fate-{booking.pk}"],
        seen=form[f"seen-{booking.pk}"],
        if_moved=consequences.moving(booking),
        if_cancelled=consequences.calling_off(booking),
    )


def _typed(at: datetime | None) -> tuple[str, str]:
    """As the two inputs of a date and an hour send it."""
    local = at.astimezone(policy.zone()) if at else None
    return (f"{local:%Y-%m-%d}", f"{local:%H:%M:%S}") if local else ("", "")


def _tell(request: HttpRequest, psychologist: Psychologist, absence: Absence, results: list[Done]) -> None:
    messages.success(request, f"{psychologist} is away from {instant(absence.start)}, to {instant(absence.end)}.")
    for result in results:
        booking = Booking.objects.select_related("psychologist").get(pk=result.booking_id)
        if result.refused is None:
            messages.success(request, done(booking))
        else:
            messages.error(request, f"{booking} stays as it is. {sentence(result.refused, booking)}")
