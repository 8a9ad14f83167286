"""What approving a request and moving a session both ask: who, when and where."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms

from backend.bookings.models import Mode
from backend.bookings.refusals import ANSWERS
from backend.core.errors import Code
from backend.core.formatting import short_span, zone_name
from backend.desk.booking.actions.action import ActionForm
from backend.desk.session_fields import (
    MINUTES_MOST,
    TYPED,
    PsychologistChoice,
    SlotField,
    SlotStartField,
    somebody_has_hours,
)
from backend.people.models import Location, Psychologist
from backend.scheduling.chosen_slot import ChosenSlot

# What makes a link good is said at the model's field; a form field made by it would leave its validators to the model
LINK_VALIDATORS = Psychologist._meta.get_field("meeting_link").validators


class SessionForm(ActionForm):
    offered = SlotField(required=False, label="Free slot")
    psychologist = PsychologistChoice(
        Psychologist.objects.filter(is_active=True),
        required=False,
        error_messages={"invalid_choice": ANSWERS[Code.PSYCHOLOGIST_REQUIRED].sentence},
    )
    slot_start = SlotStartField()
    length = forms.IntegerField(required=False, min_value=1, max_value=MINUTES_MOST, label="Length in minutes")
    meeting_link = forms.CharField(required=False, validators=LINK_VALIDATORS)
    location = forms.ModelChoiceField(Location.objects.order_by("name"), required=False)
    despite_hours = forms.BooleanField(required=False, label="Book it although it is outside the psychologist's hours")
    field_order = ("offered", "psychologist", "slot_start", "length", "amount", "meeting_link", "location")

    def fit(self) -> None:
        self.fields["slot_start"].label = f"Session starts ({zone_name()})"
        del self.fields["location" if self.booking.mode == Mode.ONLINE else "meeting_link"]
        if not somebody_has_hours():
            del self.fields["despite_hours"]

    def offer_slots(self, groups: list[tuple[str, list[tuple[str, str]]]], near_to: str) -> None:
        """Free slots to choose from; where there are none, and none was sent, nothing is asked."""
        if not groups and not self.data.get("offered"):
            del self.fields["offered"]
            return
        field = self.fields["offered"]
        assert isinstance(field, SlotField)
        field.choices = [TYPED, *groups]
        field.help_text = f"Nearest to {near_to}. One chosen here counts instead of what is typed below."

    def clean(self) -> dict[str, Any] | None:
        """A free slot that was chosen counts, however little of another time was typed."""
        cleaned = super().clean()
        if self.cleaned_data.get("offered"):
            for name in ("psychologist", "slot_start", "length"):
                self.errors.pop(name, None)
                self.cleaned_data[name] = None
        return cleaned

    def offer(self, *, psychologist: str, place: str, length: timedelta) -> None:
        """Say what an empty choice means, and start from the usual length."""
        for name, empty_label in (("psychologist", psychologist), ("location", place)):
            field = self.fields.get(name)
            if isinstance(field, forms.ModelChoiceField):
                field.empty_label = empty_label
        if "meeting_link" in self.fields:
            self.fields["meeting_link"].help_text = f"Empty: {place[0].lower()}{place[1:]}."
        self.fields["length"].help_text = f"Empty: {short_span(length)}."
        if length % timedelta(minutes=1) == timedelta(0):
            self.initial["length"] = length // timedelta(minutes=1)

    def session(self) -> dict[str, Any]:
        """What approving and moving have in common, as both take it. Call after `is_valid()`."""
        typed = self.cleaned_data
        chosen: ChosenSlot | None = typed.get("offered")
        who = typed["psychologist"].pk if typed["psychologist"] else None
        return {
            "psychologist_id": chosen.psychologist_id if chosen else who,
            "slot_start": chosen.start if chosen else typed["slot_start"],
            "slot_length": timedelta(minutes=typed["length"]) if typed["length"] else None,
            "meeting_link": typed.get("meeting_link", ""),
            "location_id": typed["location"].pk if typed.get("location") else None,
            "despite_hours": typed.get("despite_hours", False),
        }
