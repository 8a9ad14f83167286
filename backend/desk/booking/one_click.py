"""What is recorded with one click on a row of Today or on a session of the calendar: arrived, no show, paid.

Each is an action of the table, sent with its form filled in; when it is refused, the action's own page says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from backend.bookings.access import AccessPolicy
from backend.bookings.guarantees import held_session
from backend.bookings.lifecycle.front_desk import recordable
from backend.bookings.models import Booking, Outcome
from backend.core.formatting import money
from backend.desk.booking.actions.action import Action
from backend.desk.booking.actions.outcome import RecordOutcome
from backend.desk.booking.actions.payment import RecordPayment
from backend.desk.booking.actions.table import url_name
from backend.desk.navigation import booking_url

RECORD_OUTCOME, RECORD_PAYMENT = RecordOutcome(), RecordPayment()
OUTCOMES = {Outcome.ATTENDED: "Arrived", Outcome.NO_SHOW: "No show"}


@dataclass(frozen=True)
class OneClick:
    """A button: where it sends, the booking as it was seen, and what it says of the session."""

    label: str
    url: str
    seen: int
    outcome: str = ""


def outcome_clicks(access: AccessPolicy, booking: Booking, *, now: datetime) -> tuple[OneClick, ...]:
    """Until something is recorded; that somebody came a while before the session begins, the rest from then on."""
    is_open = booking.outcome == Outcome.UNRECORDED and RECORD_OUTCOME.is_open(booking, now)
    if not is_open or not access.may_act(booking, RECORD_OUTCOME.scope):
        return ()
    url, seen = _url(RECORD_OUTCOME, booking), booking.ledger_sequence
    possible = recordable(held_session(booking), now=now)
    return tuple(OneClick(label, url, seen, outcome) for outcome, label in OUTCOMES.items() if outcome in possible)


def payment_click(access: AccessPolicy, booking: Booking, *, owed_paise: int) -> tuple[OneClick, ...]:
    """The sum on the button is what is recorded, `payment_status.takes_at_desk` of the booking."""
    if not owed_paise or not access.may_act(booking, RECORD_PAYMENT.scope):
        return ()
    label = f"Paid {money(owed_paise)}"
    return (OneClick(label, _url(RECORD_PAYMENT, booking), booking.ledger_sequence),)


def _url(action: Action[Any], booking: Booking) -> str:
    return booking_url(f"admin:{url_name(action)}", booking.pk)
