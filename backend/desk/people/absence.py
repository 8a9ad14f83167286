"""The page for a psychologist who cannot come: every booking in the way, what could happen to it, and one confirm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone

from backend.accounts.roles import Ability, has_any_permission
from backend.bookings import actors
from backend.bookings.access import AccessPolicy
from backend.bookings.lifecycle.absence import Absence, AbsenceDecision, DecisionResult, preview_absence, record_absence
from backend.bookings.lifecycle.rescheduling import Move
from backend.bookings.models import Booking
from backend.bookings.refusals import BUSY, staff_sentence
from backend.core.errors import required
from backend.core.formatting import practice_zone, short_day_and_time
from backend.desk import consequences
from backend.desk.consequences import Consequences
from backend.desk.forms import NOTE_LONGEST, NoteField, opened, style_fields
from backend.desk.page import Page, render
from backend.desk.result import describe_result
from backend.desk.session_fields import SlotField, SlotStartField, instead
from backend.people.hours import Clock
from backend.people.models import Psychologist
from backend.scheduling.chosen_slot import ChosenSlot, encode_slot
from backend.scheduling.free_slots import terms_of
from backend.scheduling.rebooking_options import RebookingOptions, rebooking_options

CANCEL, STAY = "cancel", "stay"
MEND = consequences.not_yet(consequences.MEND)
STAYS = consequences.not_yet("It stays as it is. Nobody is mailed, and no money moves.")


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
            self.fields[name].label = f"{label} ({practice_zone().key} time)"
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

    def __init__(self, ways: list[RebookingOptions], typed: Any = None) -> None:
        super().__init__(typed)
        for way in ways:
            field = FateField(label=str(way.booking), choices=_fates(way), initial=_proposed(way))
            self.fields[f"fate-{way.booking.pk}"] = field
            self.fields[f"seen-{way.booking.pk}"] = forms.IntegerField(
                widget=forms.HiddenInput, initial=way.booking.ledger_sequence
            )
        style_fields(self)

    def decisions(self) -> list[AbsenceDecision]:
        """Those that change something. Call after `is_valid()`."""
        found = []
        for name, fate in self.cleaned_data.items():
            if name.startswith("fate-") and fate != STAY:
                booking_id = int(name.removeprefix("fate-"))
                move = Move(fate.start, fate.psychologist_id) if isinstance(fate, ChosenSlot) else None
                found.append(AbsenceDecision(booking_id, self.cleaned_data[f"seen-{booking_id}"], move))
        return found


@dataclass(frozen=True)
class Row:
    """One booking of the page."""

    booking: Booking
    when: str
    field: forms.BoundField
    seen: forms.BoundField
    consequences: Consequences


def may_record_absence(access: AccessPolicy) -> bool:
    """Bookings are moved and cancelled, and the psychologist has time off."""
    return access.decides and has_any_permission(access.user, Ability.SEND_AWAY)


def away(request: HttpRequest, psychologist_id: int) -> HttpResponse:
    """GET, and POST with `preview`: what would happen. POST: it happens; what could not is told."""
    psychologist = get_object_or_404(Psychologist, pk=psychologist_id)
    now, is_post = timezone.now(), request.method == "POST"
    when = AbsenceForm(psychologist, request.POST if is_post else request.GET, now=now)
    if when.is_bound and not when.is_valid():
        return _page(request, psychologist, when, None, [], 400 if is_post else 200)
    start, end = when.span()
    ways = rebooking_options(psychologist.pk, start, end, now=now)
    form = DecisionsForm(ways, request.POST if is_post else None)
    absence = Absence(psychologist.pk, start, end)
    actor = actors.for_account(request.user)
    is_unfit = is_post and not form.is_valid()
    if not is_post or is_unfit or "preview" in request.POST:
        follows = {} if is_unfit else _follow(absence, form if is_post else opened(form), actor=actor, now=now)
        rows = [_row(way, form, follows.get(way.booking.pk, MEND if is_unfit else STAYS)) for way in ways]
        return _page(request, psychologist, when, form, rows, 400 if is_unfit else 200)
    note = form.cleaned_data["note_to_visitor"]
    results = record_absence(absence, form.decisions(), note_to_visitor=note, actor=actor, now=now)
    _tell(request, psychologist, absence, results)
    return redirect("admin:people_psychologist_change", psychologist.pk)


def _page(
    request: HttpRequest,
    psychologist: Psychologist,
    when: AbsenceForm,
    form: DecisionsForm | None,
    rows: list[Row],
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
        rows=rows,
        span=f"{short_day_and_time(start)}, to {short_day_and_time(end)}",
        start=_typed(start),
        end=_typed(end),
    )


def _fates(way: RebookingOptions) -> list[tuple[str, str | list[tuple[str, str]]]]:
    moves = [(name, [(value, f"Move to {label}") for value, label in group]) for name, group in instead(way)]
    return [*moves, (CANCEL, "Cancel, all money back"), (STAY, "Leave it as it is, and decide later")]


def _proposed(way: RebookingOptions) -> str:
    return encode_slot(way.proposed) if way.proposed else CANCEL


def _row(way: RebookingOptions, form: DecisionsForm, follows: Consequences) -> Row:
    booking = way.booking
    return Row(
        booking=booking,
        when=short_day_and_time(booking.slot_start),
        field=form[f"fate-{booking.pk}"],
        seen=form[f"seen-{booking.pk}"],
        consequences=follows,
    )


def _follow(absence: Absence, form: DecisionsForm, *, actor: str, now: datetime) -> dict[int, Consequences]:
    """What each decision would do; nothing of it is done."""
    if not form.is_valid():
        return {}
    note = form.cleaned_data["note_to_visitor"]
    tried = preview_absence(absence, form.decisions(), note_to_visitor=note, actor=actor, now=now)
    return {one.booking_id: _told(one) for one in tried}


def _told(one: DecisionResult) -> Consequences:
    if one.refused is None:
        return consequences.told(required(one.change, "change", one))
    return consequences.refused(one.refused, Booking.objects.get(pk=one.booking_id))


def _typed(at: datetime | None) -> tuple[str, str]:
    """As the two inputs of a date and an hour send it."""
    local = at.astimezone(practice_zone()) if at else None
    return (f"{local:%Y-%m-%d}", f"{local:%H:%M:%S}") if local else ("", "")


def _tell(request: HttpRequest, psychologist: Psychologist, absence: Absence, results: list[DecisionResult]) -> None:
    messages.success(
        request,
        f"{psychologist} is away from {short_day_and_time(absence.start)}, to {short_day_and_time(absence.end)}.",
    )
    for result in results:
        booking = Booking.objects.select_related("psychologist").get(pk=result.booking_id)
        if result.is_held:
            messages.error(request, f"{booking} stays as it is. {BUSY}")
        elif result.refused is None:
            messages.success(request, describe_result(booking))
        else:
            messages.error(request, f"{booking} stays as it is. {staff_sentence(result.refused, booking)}")


PAGE = Page("<int:psychologist_id>/away/", "people_psychologist_away", may_record_absence, away)
