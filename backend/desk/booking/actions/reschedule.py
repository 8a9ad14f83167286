"""Reschedule: another time, psychologist or place."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from backend.bookings import policy
from backend.bookings.access import Scope
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.machine import HOLDS_SLOT
from backend.bookings.models import Booking
from backend.desk.booking.actions.action import Action, Decision
from backend.desk.booking.actions.session_form import SessionForm
from backend.desk.session_fields import instead
from backend.scheduling.rebooking_options import other_times


class MoveForm(SessionForm):
    """Another time, psychologist or place for a session that has one."""

    asks = "Choose another time, psychologist or place to see what follows."

    def fit(self) -> None:
        super().fit()
        booking = self.booking
        self.initial["slot_start"] = booking.slot_start
        free = instead(other_times(booking, now=timezone.now())) if booking.state in HOLDS_SLOT else []
        self.offer_slots(free, "the time it has now")
        place = "As before; with another psychologist, theirs"
        self.offer(psychologist=f"As before: {booking.psychologist}", place=place, length=_length(booking))

    def clean(self) -> dict[str, Any] | None:
        """Both sides are mailed, so a form sent as it was opened is taken for a slip."""
        cleaned = super().clean()
        if not self.errors and not self.changed_data:
            raise forms.ValidationError("Nothing was changed: choose another time, psychologist or place.")
        return cleaned

    def move(self) -> Move:
        """What was typed. Call after `is_valid()`."""
        return Move(**self.session())


class Reschedule(Action[MoveForm]):
    name = "reschedule"
    label = "Reschedule"
    submit = "Move the session"
    tone = "primary"
    form = MoveForm
    scope = Scope.OWN

    def is_open(self, booking: Booking, _now: datetime) -> bool:
        return booking.state in HOLDS_SLOT

    def run(self, decision: Decision[MoveForm]) -> None:
        reschedule(decision.booking.pk, decision.form.move(), actor=decision.actor, now=decision.now)


def _length(booking: Booking) -> timedelta:
    if booking.slot_start is None or booking.slot_end is None:
        return policy.SESSION_LENGTH
    return booking.slot_end - booking.slot_start
