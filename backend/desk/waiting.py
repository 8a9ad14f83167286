"""What waits for somebody, as Today and the list of bookings ask for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet

from backend.bookings import payment_status, policy
from backend.bookings.machine import AWAITS_PAYMENT, TAKES_PLACE
from backend.bookings.models import Booking, Outcome
from backend.core.compiled_queries import Instant

LAPSES_WITHIN = timedelta(hours=6)  # a hold nearer to its end than this is worth a call
UNPAID_FOR = timedelta(days=60)  # how long a session that was held and not paid is asked after


def lapsing(rows: QuerySet[Booking], *, now: Instant) -> QuerySet[Booking]:
    """Holds that end soon if nobody pays, the soonest first."""
    held = rows.filter(state__in=AWAITS_PAYMENT, choose_by=None, due_at__lt=now + LAPSES_WITHIN)
    return held.annotate(owed_paise=payment_status.takes_at_desk()).order_by("due_at", "pk")


def unrecorded(rows: QuerySet[Booking], *, now: Instant) -> QuerySet[Booking]:
    """Sessions that are over, and nobody said what became of them."""
    held = rows.filter(state__in=TAKES_PLACE, outcome=Outcome.UNRECORDED, slot_start__lt=now, slot_end__lte=now)
    oldest = now - policy.OUTCOME_OPEN_FOR
    return held.filter(slot_end__gt=oldest, slot_start__gt=oldest - policy.SESSION_LONGEST).order_by("slot_start", "pk")


def unpaid(rows: QuerySet[Booking], *, now: datetime) -> QuerySet[Booking]:
    """Sessions that were held, and are due at the practice."""
    return payment_status.owed(rows.filter(slot_start__gt=now - UNPAID_FOR), now=now).order_by("slot_start", "pk")
