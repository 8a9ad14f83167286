"""What the races share: how many run, and what must hold after each."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import pairwise
from typing import TypeVar

import pytest
from django.contrib.auth import get_user_model
from django.db import close_old_connections, connection

from backend.bookings.machine import HOLDS_SLOT, State
from backend.bookings.models import Booking, LedgerEntry, SlotClaim
from backend.payments.models import Payment, PaymentState, Refund
from tests.support import staff_api

CROWD = int(os.environ.get("TEST_CROWD", "24"))  # who want the same at once; `make chaos` lets two hundred try
Answer = TypeVar("Answer")
AT_ONCE = 50  # requests in flight

POSTGRES_ONLY = [  # SQLite has one writer
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
    pytest.mark.postgres_only,
]


def deadlocks() -> int:
    """Deadlocks PostgreSQL has counted in this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def wrong_bookings() -> list[int]:
    """Bookings that went a way which the machine does not know, or hold what their state does not."""
    return [booking.pk for booking in Booking.objects.all() if not _is_one_chain(booking)]


def _is_one_chain(booking: Booking) -> bool:
    """Its ledger leads without gaps to its state, and it has a claim exactly if that state holds a slot."""
    rows = list(LedgerEntry.objects.filter(booking=booking).order_by("sequence"))
    return (
        [row.sequence for row in rows] == list(range(1, booking.ledger_sequence + 1))
        and rows[-1].target == booking.state
        and all(after.source == before.target for before, after in pairwise(rows))
        and SlotClaim.objects.filter(booking=booking).exists() == (booking.state in HOLDS_SLOT)
    )


def check_money() -> None:
    """Each capture paid for its booking, or was recorded as unexpected and goes back whole."""
    for payment in Payment.objects.filter(state=PaymentState.CAPTURED):
        assert payment.booking.state == State.CONFIRMED or payment.is_unexpected or payment.booking.closed_at
        if payment.is_unexpected:
            assert Refund.objects.get(payment=payment).amount_paise == payment.captured_paise


def staff_headers() -> dict[str, str]:
    """Of somebody who may do everything."""
    user = get_user_model().objects.create_superuser("desk", "desk@example.org", "irrelevant-here")
    return {"Authorization": f"Token {staff_api.token(user)}"}


def approval(who: int, start: datetime) -> dict[str, object]:
    """The body that approves."""
    return {"psychologist_id": who, "slot_start": start.isoformat(), "despite_cancellation_request": True}


def at_once(calls: list[Callable[[], Answer]], workers: int = AT_ONCE) -> list[Answer]:
    """What each call answered, in their order."""

    def run(call: Callable[[], Answer]) -> Answer:
        try:
            return call()
        finally:
            close_old_connections()
            connection.close()

    with ThreadPoolExecutor(workers) as many:
        return list(many.map(run, calls))
