"""What the state of a booking guarantees of its columns, as values that are there.

A column may be empty because a request begins without it; from some state on it never is. Where it is empty even so we
have a bug: these functions raise `Missing`, also under `python -O`, where an assertion would not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.bookings.models import Booking
from backend.core.errors import required
from backend.people.models import Psychologist


@dataclass(frozen=True)
class HeldSession:
    """With whom and when: `[start, end)`, set at approval and kept when the booking closes."""

    psychologist_id: int
    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        return self.end - self.start


@dataclass(frozen=True)
class PaymentTerms:
    """What is to be paid for the session and by when, without the grace: set where something is to be paid up front."""

    amount_paise: int
    pay_by: datetime


def held_session(booking: Booking) -> HeldSession:
    """The session of a booking that holds a slot, or held one. No query."""
    return HeldSession(
        required(booking.psychologist_id, "psychologist_id", booking),
        required(booking.slot_start, "slot_start", booking),
        required(booking.slot_end, "slot_end", booking),
    )


def psychologist_of(booking: Booking) -> Psychologist:
    """Who gives the held session; one query, unless they were read along."""
    return required(booking.psychologist, "psychologist", booking)


def payment_terms(booking: Booking) -> PaymentTerms:
    """The payment terms of a booking that is, or was, to be paid up front."""
    return PaymentTerms(
        required(booking.amount_paise, "amount_paise", booking), required(booking.pay_by, "pay_by", booking)
    )


def deadline(booking: Booking) -> datetime:
    """The deadline of a booking in a waiting state."""
    return required(booking.due_at, "due_at", booking)


def client_id_of(booking: Booking) -> int:
    """The client's id, for a booking whose personal data was not purged."""
    return required(booking.client_id, "client_id", booking)
