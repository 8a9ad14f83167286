"""The story of a booking as its visitor may know it: the ledger's rows that speak of them, not who of staff acted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backend.bookings.intents import Intent
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry
from backend.core.compiled_queries import Given, compiled

TOLD: dict[str, str | Promise] = {
    Intent.SUBMIT_DRAFT: _("You asked for a session."),
    Intent.VERIFY_EMAIL: _("You confirmed your email address."),
    Intent.CREATE_BY_STAFF: _("We took down your request."),
    Intent.REQUEST_AGAIN: _("You asked again."),
    Intent.BOOK_FOLLOW_UP: _("We booked your next session."),
    Intent.TAKE_ALTERNATIVE: _("You took a time that we offered."),
    Intent.UNANSWERED: _("We did not answer in time."),
    Intent.APPROVE: _("We accepted your request."),
    Intent.REJECT: _("We could not offer a session."),
    Intent.START_PAYMENT: _("You began to pay."),
    Intent.RECORD_CAPTURE: _("Your payment arrived."),
    Intent.RECORD_DESK_PAYMENT: _("You paid at the practice."),
    Intent.VOID_DESK_PAYMENT: _("We corrected a payment that was recorded by mistake."),
    Intent.FAIL_ATTEMPT: _("A payment did not succeed."),
    Intent.END_IDLE_ATTEMPT: _("A payment was not finished."),
    Intent.PAYMENT_TIMED_OUT: _("The time to pay passed."),
    Intent.RECORD_LATE_CAPTURE: _("Your payment arrived late, and your time was still free."),
    Intent.RECORD_UNEXPECTED_CAPTURE: _("A payment arrived that was not asked for. It goes back."),
    Intent.RESCHEDULE: _("The session was moved."),
    Intent.OFFER_CHOICE: _("We asked you to choose another time."),
    Intent.LAPSE_CHOICE: _("No other time was chosen, and the session was called off."),
    Intent.COMPLETE_SESSION: _("Your session took place."),
    Intent.REQUEST_CANCELLATION: _("You asked to cancel."),
    Intent.LAPSE_CANCELLATION: _("The cancellation was not confirmed, and the booking stands."),
    Intent.CANCEL: _("The booking was cancelled."),
    Intent.UNDO_DECISION: _("We took our last answer back."),
    Intent.GRANT_REFUND: _("We promised money back."),
    Intent.REFUND_MADE: _("Money went back to you."),
    Intent.EXTEND_DEADLINE: _("The deadline was put off."),
}
# of other drafts, of staff's own notes, and what visitors hear of once it is mended
UNTOLD = (
    Intent.SUPERSEDE,
    Intent.LAPSE_DRAFT,
    Intent.SPONSOR,
    Intent.RECORD_OUTCOME,
    Intent.REFUND_REFUSED,
    Intent.REFUND_UNFINISHED,
)


class Step(NamedTuple):
    """What a ledger row says without its details."""

    at: datetime
    source: str
    target: str
    intent: str


@dataclass(frozen=True)
class Told:
    """One step: when, in which state it left the booking, the ledger's word for it, and what its visitor reads."""

    at: datetime
    state: State
    what: str
    text: str


def steps(booking: Booking) -> list[Step]:
    """All of them, oldest first. One query."""
    return [Step(*row) for row in _rows.rows(booking=booking.pk)]


def visited(found: list[Step]) -> list[str]:
    """The states the booking went through."""
    return [step.target for step in found if step.source != step.target]


def told(found: list[Step]) -> list[Told]:
    """Those that its visitor may know."""
    known = [step for step in found if step.intent in TOLD]
    return [Told(step.at, State(step.target), step.intent, str(TOLD[step.intent])) for step in known]


@compiled
def _rows() -> QuerySet[LedgerEntry, Any]:
    rows = LedgerEntry.objects.filter(booking=Given("booking")).order_by("sequence")
    return rows.values_list("at", "source", "target", "intent")
