"""What becomes of the bookings in the way of an absence or of closed days: a choice each, and what follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest

from backend.bookings.lifecycle.absence import AbsenceDecision, DecisionResult
from backend.bookings.lifecycle.choices import choice_hindrance
from backend.bookings.lifecycle.rescheduling import Move
from backend.bookings.models import Booking
from backend.bookings.refusals import BUSY, staff_sentence
from backend.core.errors import Code, required
from backend.core.formatting import short_day_and_time
from backend.desk import consequences
from backend.desk.consequences import Consequences
from backend.desk.forms import NOTE_LONGEST, NoteField, style_fields
from backend.desk.result import describe_result
from backend.desk.session_fields import SlotField, instead
from backend.scheduling.chosen_slot import ChosenSlot
from backend.scheduling.rebooking_options import RebookingOptions

CHOOSE, CANCEL, STAY = "choose", "cancel", "stay"
MEND = consequences.not_yet(consequences.MEND)
STAYS = consequences.not_yet("It stays as it is. Nobody is mailed, and no money moves.")
WHY_NOT_ASKED = {
    Code.NO_ADDRESS: "There is no address to ask the visitor by mail: call, then move or cancel it.",
    Code.CHOICE_TOO_NEAR: "It starts too soon to let the visitor choose: call, then move or cancel it.",
}


class FateField(SlotField):
    """Another slot, or one of three words."""

    def to_python(self, value: Any) -> Any:
        return value if value in (CHOOSE, CANCEL, STAY) else super().to_python(value)


class DecisionsForm(forms.Form):
    """What becomes of each booking, as it was when the page was opened."""

    note_to_visitor = NoteField(
        required=False,
        max_length=NOTE_LONGEST,
        label="Note to those who are cancelled",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, ways: list[RebookingOptions], typed: Any = None, *, now: datetime) -> None:
        super().__init__(typed)
        for way in ways:
            hindrance = choice_hindrance(way.booking, now=now)
            field = FateField(
                label=str(way.booking), choices=_fates(way, hindrance), initial=STAY if hindrance else CHOOSE
            )
            field.help_text = WHY_NOT_ASKED.get(hindrance, "") if hindrance else ""
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
                seen = self.cleaned_data[f"seen-{booking_id}"]
                found.append(AbsenceDecision(booking_id, seen, move, visitor_chooses=fate == CHOOSE))
        return found


@dataclass(frozen=True)
class Row:
    """One booking of the page."""

    booking: Booking
    when: str
    field: forms.BoundField
    seen: forms.BoundField
    consequences: Consequences


def rows(
    ways: list[RebookingOptions], form: DecisionsForm, follows: Mapping[int, Consequences], *, otherwise: Consequences
) -> list[Row]:
    """One for each booking, with what follows of its choice."""
    return [_row(way, form, follows.get(way.booking.pk, otherwise)) for way in ways]


def foretold(tried: list[DecisionResult]) -> dict[int, Consequences]:
    """What each decision would do."""
    return {one.booking_id: _told(one) for one in tried}


def announce(request: HttpRequest, results: list[DecisionResult]) -> None:
    """What was done with each, and what stays as it is."""
    for result in results:
        booking = Booking.objects.select_related("psychologist").get(pk=result.booking_id)
        if result.is_held:
            messages.error(request, f"{booking} stays as it is. {BUSY}")
        elif result.refused is None:
            messages.success(request, describe_result(booking))
        else:
            messages.error(request, f"{booking} stays as it is. {staff_sentence(result.refused, booking)}")


def _fates(way: RebookingOptions, hindrance: Code | None) -> list[tuple[str, str | list[tuple[str, str]]]]:
    moves = [(name, [(value, f"Move to {label}") for value, label in group]) for name, group in instead(way)]
    asked = [] if hindrance else [(CHOOSE, "Let the visitor choose another time")]
    stay = "Leave it as it is: ask the visitor first"
    if way.booking.choose_by is not None:
        stay = f"It waits for the visitor's choice until {short_day_and_time(way.booking.choose_by)}"
    return [*asked, *moves, (CANCEL, "Cancel, all money back"), (STAY, stay)]


def _row(way: RebookingOptions, form: DecisionsForm, follows: Consequences) -> Row:
    booking = way.booking
    return Row(
        booking=booking,
        when=short_day_and_time(booking.slot_start),
        field=form[f"fate-{booking.pk}"],
        seen=form[f"seen-{booking.pk}"],
        consequences=follows,
    )


def _told(one: DecisionResult) -> Consequences:
    if one.refused is None:
        return consequences.told(required(one.change, "change", one))
    return consequences.refused(one.refused, Booking.objects.get(pk=one.booking_id))
