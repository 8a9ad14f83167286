"""The page of many requests: each proposed a slot, or all declined with one reason; each its own decision."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.db import DatabaseError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from backend.bookings import actors
from backend.bookings.access import AccessPolicy, Scope
from backend.bookings.lifecycle.approval import approve, reject
from backend.bookings.lifecycle.preview import preview_transaction_many
from backend.bookings.lifecycle.session_terms import Approval
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.bookings.refusals import BUSY, overtaken, staff_sentence
from backend.core import database_timeouts
from backend.core.errors import Refused
from backend.core.formatting import short_day_and_time
from backend.core.row_ids import row_id
from backend.desk import consequences
from backend.desk.consequences import Consequences
from backend.desk.decisions import Overtaken, if_unchanged
from backend.desk.forms import NOTE_LONGEST, NoteField, opened, style_fields
from backend.desk.page import Page, render
from backend.desk.result import describe_result
from backend.desk.session_fields import SlotField, suggested
from backend.desk.way_back import way_back
from backend.scheduling.chosen_slot import ChosenSlot, encode_slot
from backend.scheduling.suggestions import Suggestion, suggestions

LIST = "admin:bookings_booking_changelist"
MOST = 25  # on one page: each is looked at, and each slot is searched for


class Row(NamedTuple):
    """One booking of the page."""

    booking: Booking
    wish: str
    seen: forms.BoundField
    field: forms.BoundField | None
    consequences: Consequences | None  # none: it stays as it is


class BulkForm(forms.Form):
    """Requests as they were when the page was opened."""

    submit = title = tone = ""

    def __init__(self, bookings: list[Booking], typed: Any = None, *, now: datetime) -> None:
        super().__init__(typed)
        self.bookings = bookings
        self.follows: dict[int, Consequences] = {}
        for booking in bookings:
            seen = forms.IntegerField(widget=forms.HiddenInput, initial=booking.ledger_sequence)
            self.fields[f"seen-{booking.pk}"] = seen
            self.ask(booking, now=now)
        style_fields(self)

    def ask(self, booking: Booking, *, now: datetime) -> None:
        """What is decided about each."""

    @abstractmethod
    def decide(self, booking: Booking, *, actor: str, now: datetime) -> Callable[[], object] | None:
        """The intent with what was typed for this booking; None leaves it as it is. Call after `is_valid()`."""

    def psychologist_ids(self) -> list[int]:
        """Whose time is taken by what was typed. Call after `is_valid()`."""
        return []

    def preview(self, form: BulkForm, *, actor: str, now: datetime) -> None:
        """Say in each row what `form`, this one as it was typed or opened, would do; nothing of it is done."""
        form.is_valid()
        ids = [booking.pk for booking in form.bookings]
        with preview_transaction_many(ids, form.psychologist_ids()) as witness:
            for told in carry_out_all(form, actor=actor, now=now):
                told_of = consequences.told(witness.change(told.booking_id)) if told.is_done else None
                self.follows[told.booking_id] = told_of or consequences.not_yet(told.text)

    def rows(self) -> list[Row]:
        """Each booking with its wish, its hidden sequence, its field, and what follows."""
        return [
            Row(row, _wish(row), self[f"seen-{row.pk}"], self._field(row), self.follows.get(row.pk))
            for row in self.bookings
        ]

    def _field(self, booking: Booking) -> forms.BoundField | None:
        name = f"slot-{booking.pk}"
        return self[name] if name in self.fields else None


class ApproveMany(BulkForm):
    title, submit, tone = "Approve with suggested slots", "Approve those with a slot", "success"

    def __init__(self, bookings: list[Booking], typed: Any = None, *, now: datetime) -> None:
        self._proposed: set[tuple[int, datetime]] = set()
        super().__init__(bookings, typed, now=now)

    def ask(self, booking: Booking, *, now: datetime) -> None:
        """Free slots, the first that fits and is proposed to nobody else on this page chosen."""
        found = suggestions(booking, now=now)
        options = [("", "Leave it as it is"), *suggested(found)]
        label = f"Slot for {booking}"
        self.fields[f"slot-{booking.pk}"] = SlotField(
            choices=options, required=False, label=label, initial=self._first(found)
        )

    def _first(self, found: list[Suggestion]) -> str:
        for one in found:
            key = (one.slot.psychologist_id, one.slot.start)
            if one.fits and key not in self._proposed:
                self._proposed.add(key)
                return encode_slot(one.slot)
        return ""

    def decide(self, booking: Booking, *, actor: str, now: datetime) -> Callable[[], object] | None:
        chosen: ChosenSlot | None = self.cleaned_data.get(f"slot-{booking.pk}")
        if chosen is None:
            return None
        approval = Approval(chosen.psychologist_id, chosen.start, is_undoable=True)
        return lambda: approve(booking.pk, approval, actor=actor, now=now)

    def psychologist_ids(self) -> list[int]:
        return [value.psychologist_id for value in self.cleaned_data.values() if isinstance(value, ChosenSlot)]


class RejectMany(BulkForm):
    title, submit, tone = "Decline", "Decline them and tell the visitors", "danger"
    note_to_visitor = NoteField(
        max_length=NOTE_LONGEST,
        label="Reason, as every visitor reads it",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def decide(self, booking: Booking, *, actor: str, now: datetime) -> Callable[[], object] | None:
        note = self.cleaned_data.get("note_to_visitor", "")  # before it is typed the page foretells all the rest
        return lambda: reject(booking.pk, note_to_visitor=note, actor=actor, now=now, is_undoable=True)


FORMS: dict[str, type[BulkForm]] = {"approve": ApproveMany, "reject": RejectMany}


def marked(request: HttpRequest, what: str) -> HttpResponse:
    """To the page of those that were marked in the list; never more than the eye saw."""
    ids = request.POST.getlist("_selected_action")
    if len(ids) > MOST:
        messages.warning(request, f"The first {MOST} of {len(ids)} are shown. Decide about the others after.")
    return redirect(f"{reverse('admin:bookings_booking_many', args=[what])}?ids={','.join(ids[:MOST])}")


def decide_many(request: HttpRequest, what: str) -> HttpResponse:
    """GET, and POST with `preview`: what would happen. POST: it happens; what was refused is told one by one."""
    if what not in FORMS:
        raise Http404
    now, actor = timezone.now(), actors.for_account(request.user)
    bookings = chosen(request.GET.get("ids", ""), AccessPolicy(request.user).bookings_to(Scope.UNASSIGNED))
    if not bookings:
        messages.warning(request, "None of these waits for an answer.")
        return redirect(way_back(request) or LIST)
    typed = request.POST if request.method == "POST" else None
    form = FORMS[what](bookings, typed, now=now)
    if typed is None or not form.is_valid() or "preview" in typed:
        if typed is None or form.is_valid():
            form.preview(form if typed else opened(form), actor=actor, now=now)
        status = 200 if typed is None or form.is_valid() else 400
        template = "admin/bookings/booking/many.html"
        back = way_back(request) or reverse(LIST)
        return render(request, template, title=form.title, model=Booking, status=status, form=form, back=back)
    told = carry_out_all(form, actor=actor, now=now)
    for one in told:
        (messages.success if one.is_done else messages.error)(request, one.text)
    if not told:
        messages.warning(request, "Nothing was decided.")
    return redirect(way_back(request) or LIST)


@dataclass(frozen=True)
class Told:
    """What became of one booking."""

    booking_id: int
    is_done: bool
    text: str


def carry_out_all(form: BulkForm, *, actor: str, now: datetime) -> list[Told]:
    """Every decision in its own transaction: one that is refused leaves the others."""
    told = []
    for booking in form.bookings:
        act = form.decide(booking, actor=actor, now=now)
        if act is not None:
            told.append(_one(booking, form.cleaned_data[f"seen-{booking.pk}"], act))
    return told


def chosen(given: str, among: Q) -> list[Booking]:
    """The requests that were marked and still wait, up to `MOST`."""
    ids = [row_id(one) for one in given.split(",")[:MOST]]
    rows = Booking.objects.filter(among, pk__in=ids, state=State.PENDING)
    return list(rows.select_related("corporate", "psychologist", "preferred_psychologist").order_by("due_at", "pk"))


def _one(booking: Booking, seen: int, act: Callable[[], object]) -> Told:
    try:
        if_unchanged(booking.pk, seen, act)
    except Refused as refused:
        return Told(booking.pk, False, f"{booking} stays as it is. {staff_sentence(refused, _again(booking))}")
    except Overtaken:
        return Told(booking.pk, False, f"{booking} stays as it is. {overtaken(booking)}")
    except DatabaseError as error:
        if not database_timeouts.is_timeout(error):
            raise
        return Told(booking.pk, False, f"{booking} stays as it is. {BUSY}")
    return Told(booking.pk, True, describe_result(_again(booking)))


def _again(booking: Booking) -> Booking:
    return Booking.objects.select_related("psychologist").get(pk=booking.pk)


def _wish(booking: Booking) -> str:
    when = f"{booking.preferred_date:%a %d %b %Y}, {booking.get_preferred_period_display().lower()}"
    slot = f", best {short_day_and_time(booking.preferred_slot_start)}" if booking.preferred_slot_start else ""
    who = f", {booking.preferred_psychologist}" if booking.preferred_psychologist else ""
    return f"{when}{slot}{who}, {booking.get_mode_display().lower()}"


PAGE = Page(
    "many/<slug:what>/",
    "bookings_booking_many",
    lambda access: access.may_act_on_some(Scope.UNASSIGNED),
    decide_many,
)
