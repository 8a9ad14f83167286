"""Reject: decline a request, and offer other times if there are some."""

from __future__ import annotations

from datetime import datetime

from django import forms
from django.utils import timezone

from backend.bookings.access import Scope
from backend.bookings.lifecycle.alternatives import ALTERNATIVES_MOST, OfferedSlot
from backend.bookings.lifecycle.approval import reject
from backend.bookings.models import Booking
from backend.core.formatting import short_day_and_time
from backend.desk.booking.actions.action import Action, Decision, NoteForm, leads_on
from backend.desk.guardian import GuardianFields
from backend.people.models import Psychologist
from backend.scheduling import chosen_slot
from backend.scheduling.suggestions import suggestions

CHOICES_MOST = 100  # times in one list


class RejectForm(NoteForm, GuardianFields):
    field_order = ("note_to_visitor",)

    def fit(self) -> None:
        """A list of free times for each alternative; none where nobody has hours, or the visitor cannot be mailed."""
        free = _free(self.booking, now=timezone.now()) if self.booking.email else []
        for number in range(1, ALTERNATIVES_MOST + 1) if free else ():
            self.fields[f"alternative_{number}"] = forms.ChoiceField(
                choices=[("", "None"), *free],
                required=False,
                label=f"Time to offer instead, {number}",
                help_text="Nobody holds it; the mailed link takes it if it is still free." if number == 1 else "",
                error_messages={"invalid_choice": "This time is not free any more. Choose another."},
            )
        if not free or not self.booking.is_minor:
            self.leave_out_guardian()

    def offers(self) -> list[OfferedSlot]:
        """The times, in the order in which they are offered, each once. Call after `is_valid()`."""
        typed = (self.cleaned_data.get(f"alternative_{number}") for number in range(1, ALTERNATIVES_MOST + 1))
        chosen = (chosen_slot.decode_slot(value) for value in dict.fromkeys(value for value in typed if value))
        return [OfferedSlot(slot.psychologist_id, slot.start, slot.length) for slot in chosen if slot is not None]


class Reject(Action[RejectForm]):
    name = "reject"
    label = "Reject"
    submit = "Reject and tell the visitor"
    tone = "danger"
    form = RejectForm
    scope = Scope.UNASSIGNED

    def is_open(self, booking: Booking, _now: datetime) -> bool:
        return leads_on(booking, Booking.reject)

    def run(self, decision: Decision[RejectForm]) -> None:
        reject(
            decision.booking.pk,
            note_to_visitor=decision.typed["note_to_visitor"],
            offers=decision.form.offers(),
            guardian_consent=decision.form.guardian(),
            actor=decision.actor,
            now=decision.now,
            is_undoable=True,
        )


def _free(booking: Booking, *, now: datetime) -> list[tuple[str, str]]:
    """What a choice sends, and what staff read; nearest to the wish first."""
    found = [suggestion.slot for suggestion in suggestions(booking, now=now, limit=CHOICES_MOST)]
    names = dict(Psychologist.objects.filter(is_active=True).values_list("pk", "full_name"))
    return [
        (
            chosen_slot.encode_slot(slot, with_length=True),
            f"{short_day_and_time(slot.start)}, {names[slot.psychologist_id]}",
        )
        for slot in found
    ]
