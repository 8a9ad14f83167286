"""The pages on which staff move or cancel all that is ahead of a series: first what follows, then all or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from backend.bookings import actors
from backend.bookings.access import AccessPolicy, Scope
from backend.bookings.lifecycle import series
from backend.bookings.lifecycle.cancellation import CalledOffBy, RefundChoice
from backend.bookings.lifecycle.series import SeriesCancellation, SeriesMove, SeriesStep
from backend.bookings.models import Booking
from backend.bookings.queries import series_ahead
from backend.bookings.refusals import OVERTAKEN, last_step, staff_sentence
from backend.core.errors import Refused
from backend.core.formatting import short_day_and_time, zone_name
from backend.desk.booking.actions.action import ActionForm, NoteForm
from backend.desk.booking.actions.cancel import REFUND_NOTE_LONGEST
from backend.desk.consequences import told
from backend.desk.forms import refuse
from backend.desk.navigation import booking_to_decide, to_booking
from backend.desk.page import Page, render
from backend.desk.session_fields import SlotStartField, somebody_has_hours


class MoveAllForm(ActionForm):
    slot_start = SlotStartField()
    despite_hours = forms.BooleanField(
        required=False, label="Move sessions although they are outside the psychologist's hours"
    )

    def fit(self) -> None:
        if not somebody_has_hours():
            del self.fields["despite_hours"]
        first = series_ahead(self.booking.pk, now=timezone.now()).first()
        self.initial["slot_start"] = first.slot_start if first else None
        self.fields["slot_start"].label = f"The first of them starts ({zone_name()})"
        self.fields["slot_start"].help_text = "The others keep their distance to it, at the same hour."

    def wish(self) -> SeriesMove:
        """What was typed. Call after `is_valid()`."""
        return SeriesMove(self.cleaned_data["slot_start"], self.cleaned_data.get("despite_hours", False))


class CancelAllForm(NoteForm):
    called_off_by = forms.ChoiceField(
        choices=[
            (CalledOffBy.PRACTICE.value, "The practice"),
            (CalledOffBy.VISITOR.value, "The visitor, who asked us to cancel"),
        ],
        label="Who calls them off",
        widget=forms.RadioSelect,
    )
    refund = forms.ChoiceField(
        choices=[
            (RefundChoice.RULES.value, "By the rules, of each session"),
            (RefundChoice.FULL.value, "All that was paid"),
            (RefundChoice.NONE.value, "Nothing"),
        ],
        initial=RefundChoice.RULES.value,
        label="What the visitor gets back of what was paid",
        widget=forms.RadioSelect,
    )
    refund_reason = forms.CharField(
        required=False,
        max_length=REFUND_NOTE_LONGEST,
        label="Why less is given back than the rules give",
        help_text="Needed only then. Kept for the practice; the visitor does not read it.",
    )
    field_order = ("called_off_by", "refund", "refund_reason", "note_to_visitor")

    def wish(self) -> SeriesCancellation:
        """What was typed. Call after `is_valid()`."""
        typed = self.cleaned_data
        return SeriesCancellation(
            typed["note_to_visitor"],
            RefundChoice(typed["refund"]),
            typed["refund_reason"],
            CalledOffBy(typed["called_off_by"]),
        )


@dataclass(frozen=True)
class SeriesAct:
    """One of the two: its words, who may, its form, and what tries and does it."""

    name: str
    label: str
    tone: str
    scope: Scope
    form: type[MoveAllForm] | type[CancelAllForm]
    preview: Callable[..., list[SeriesStep]]
    run: Callable[..., list[SeriesStep]]

    @property
    def url_part(self) -> str:
        """Of its page's name."""
        return self.name.replace("-", "_")


ACTS = (
    SeriesAct("move-all", "Move all", "primary", Scope.OWN, MoveAllForm, series.preview_move, series.move_series),
    SeriesAct(
        "cancel-all", "Cancel all", "danger", Scope.DESK, CancelAllForm, series.preview_cancellation,
        series.cancel_series,
    ),
)  # fmt: skip


def open_acts(access: AccessPolicy, booking: Booking, *, now: datetime) -> list[SeriesAct]:
    """Those whose buttons the booking's page shows: where more than one session is ahead, and all are theirs."""
    ahead = list(series_ahead(booking.pk, now=now)) if booking.follows_id is not None else []
    return [act for act in ACTS if len(ahead) > 1 and all(access.may_act(one, act.scope) for one in ahead)]


def act_on_all(request: HttpRequest, booking_id: int, *, act: SeriesAct) -> HttpResponse:
    """The form, what would follow, and the way back once it is done.

    Nothing is done that was not tried before with the very same words about the very same rows: `tried` says which.
    """
    access, now = AccessPolicy(request.user), timezone.now()
    booking = booking_to_decide(access, booking_id, act.scope)
    ahead = list(series_ahead(booking_id, now=now))
    if not all(access.may_act(one, act.scope) for one in ahead):
        raise Http404
    if not ahead:
        messages.warning(request, f"“{act.label}” is not possible now. {last_step(booking)}")
        return to_booking(booking_id)
    form = act.form(booking, request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, act, form, [], 400 if form.is_bound else 200)
    wish = form.wish()
    tried = repr((wish, [(one.pk, one.ledger_sequence) for one in ahead]))
    is_sure = request.POST.get("tried") == tried
    try:
        steps = (act.run if is_sure else act.preview)(booking_id, wish, actor=actors.for_account(request.user), now=now)
    except Refused as refused:
        return _page(request, act, form, [], refuse(form, refused, booking))
    fits = not any(step.refused for step in steps)
    if not (is_sure and fits):
        status = 200 if fits else OVERTAKEN
        return _page(request, act, form, steps, status, tried=tried if fits else "")
    messages.success(request, f"{act.label}: done for {len(steps)} sessions.")
    return to_booking(booking_id)


def _page(
    request: HttpRequest, act: SeriesAct, form: ActionForm, steps: list[SeriesStep], status: int, *, tried: str = ""
) -> HttpResponse:
    return render(
        request,
        "admin/bookings/booking/series.html",
        title=f"{act.label}: {form.booking}",
        model=Booking,
        status=status,
        booking=form.booking,
        act=act,
        form=form,
        rows=[_row(step) for step in steps],
        ahead=[(one, short_day_and_time(one.slot_start)) for one in series_ahead(form.booking.pk, now=timezone.now())],
        tried=tried,
    )


def _row(step: SeriesStep) -> dict[str, Any]:
    return {
        "booking": step.was,
        "when": short_day_and_time(step.slot_start),
        "consequences": told(step.change) if step.change else None,
        "refused": staff_sentence(step.refused, step.was) if step.refused else "",
    }


def _may_open(access: AccessPolicy, *, scope: Scope) -> bool:
    return access.may_act_on_some(scope)


PAGES = [
    Page(
        f"<int:booking_id>/{act.name}/",
        f"bookings_booking_{act.url_part}",
        partial(_may_open, scope=act.scope),
        partial(act_on_all, act=act),
    )
    for act in ACTS
]
