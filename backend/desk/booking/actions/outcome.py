"""Record the outcome: whether the session was held."""

from __future__ import annotations

from datetime import datetime

from django import forms
from django.utils import timezone

from backend.bookings.access import Scope
from backend.bookings.guarantees import held_session
from backend.bookings.lifecycle.front_desk import record_outcome, recordable
from backend.bookings.machine import TAKES_PLACE
from backend.bookings.models import Booking, Outcome
from backend.desk.booking.actions.action import Action, ActionForm, Decision


class OutcomeForm(ActionForm):
    asks = "Choose what became of the session to see what follows."
    outcome = forms.ChoiceField(label="What became of the session", widget=forms.RadioSelect)

    def fit(self) -> None:
        outcome = self.fields["outcome"]
        assert isinstance(outcome, forms.ChoiceField)
        has_session = self.booking.slot_start and self.booking.slot_end
        possible = recordable(held_session(self.booking), now=timezone.now()) if has_session else ()
        outcome.choices = [(one, one.label) for one in possible or Outcome if one != self.booking.outcome]
        if self.booking.outcome != Outcome.UNRECORDED:
            outcome.help_text = f"Recorded so far: {self.booking.get_outcome_display()}."


class RecordOutcome(Action[OutcomeForm]):
    name = "record-outcome"
    label = "Record outcome"
    submit = "Record the outcome"
    tone = "success"
    form = OutcomeForm
    scope = Scope.OWN

    def is_open(self, booking: Booking, now: datetime) -> bool:
        if booking.state not in TAKES_PLACE or not (booking.slot_start and booking.slot_end):
            return False
        return bool(recordable(held_session(booking), now=now))

    def run(self, decision: Decision[OutcomeForm]) -> None:
        outcome = Outcome(decision.typed["outcome"])
        record_outcome(decision.booking.pk, outcome, actor=decision.actor, now=decision.now)
