"""Let the visitor choose another time: the session cannot be held, and nobody at the desk knows what suits them."""

from __future__ import annotations

from datetime import datetime

from backend.bookings.access import Scope
from backend.bookings.lifecycle.choices import choice_hindrance, offer_choice
from backend.bookings.models import Booking
from backend.desk.booking.actions.action import Action, ActionForm, Decision


class OfferChoice(Action[ActionForm]):
    name = "offer-choice"
    label = "Let the visitor choose"
    submit = "Ask the visitor to choose another time"
    tone = "primary"
    form = ActionForm
    scope = Scope.OWN

    def is_open(self, booking: Booking, now: datetime) -> bool:
        return choice_hindrance(booking, now=now) is None

    def run(self, decision: Decision[ActionForm]) -> None:
        offer_choice(decision.booking.pk, actor=decision.actor, now=decision.now)
