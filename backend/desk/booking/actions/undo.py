"""Undo: the last decision at the desk is taken back, as long as nobody was told of it."""

from __future__ import annotations

from datetime import datetime

from backend.bookings.access import Scope
from backend.bookings.lifecycle.undo import undo_decision
from backend.bookings.models import Booking
from backend.desk.booking.actions.action import Action, ActionForm, Decision


class Undo(Action[ActionForm]):
    name = "undo"
    label = "Undo the last decision"
    submit = "Undo it; nobody has been told"
    tone = "warning"
    form = ActionForm
    scope = Scope.UNDO

    def is_open(self, booking: Booking, now: datetime) -> bool:
        return booking.undoable_until(now) is not None

    def run(self, decision: Decision[ActionForm]) -> None:
        undo_decision(decision.booking.pk, actor=decision.actor, now=decision.now)
