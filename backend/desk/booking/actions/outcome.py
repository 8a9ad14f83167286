"""Record the outcome: whether the session was held."""

from __future__ import annotations

from datetime import datetime

from django import forms

from backend.bookings import policy
from backend.bookings.access import Scope
from backend.bookings.lifecycle.front_desk import record_outcome
from backend.bookings.machine import TAKES_PLACE
from backend.bookings.models import Booking, Outcome
from backend.desk.booking.actions.action import Action, ActionForm, Decision


class OutcomeForm(ActionForm):
    asks = "Choose what became of the session to see what follows."
    outcome = forms.ChoiceField(label="What became of the session", widget=forms.RadioSelect)

    def fit(self) -> None:
        outcome = self.fields["outcome"]
        assert isinstance(outcome, forms.ChoiceField)
        outcome.choices = [choice for choice in Outcome.choices if choice[0] != self.booking.outcome]
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
        """From the session's start until outcomes are closed."""
        if booking.state not in TAKES_PLACE or not (booking.slot_start and booking.slot_end):
            return False
        return booking.slot_start <= now < booking.slot_end + policy.OUTCOME_OPEN_FOR

    def run(self, decision: Decision[OutcomeForm]) -> None:
        outcome = Outcome(decision.typed["outcome"])
        record_outcome(decision.booking.pk, outcome, actor=decision.actor, now=decision.now)
