"""What a state guarantees is there as a value; where it is not, that is a bug and never silent."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings

from backend.bookings.guarantees import (
    HeldSession,
    PaymentTerms,
    client_id_of,
    deadline,
    held_session,
    payment_terms,
    psychologist_of,
)
from backend.bookings.machine import HOLDS_SLOT, State
from backend.bookings.models import Booking
from backend.core.errors import Missing, Refused, required
from tests.support import factories

IS_NOT_NONE = "is not None"  # what follows an assertion that `python -O` takes away


@pytest.mark.django_db
@pytest.mark.parametrize("state", [*HOLDS_SLOT, State.COMPLETED])
def test_whatever_holds_or_held_a_slot_has_a_session(state: State, now: datetime) -> None:
    booking = factories.make_booking(state, now=now)

    session = held_session(booking)

    assert session == HeldSession(booking.psychologist_id, booking.slot_start, booking.slot_end)
    assert session.length == booking.slot_end - booking.slot_start
    assert psychologist_of(booking) == booking.psychologist


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.APPROVED, State.PAYMENT_PENDING])
def test_whatever_waits_for_payment_has_its_terms_and_a_deadline(state: State, now: datetime) -> None:
    booking = factories.make_booking(state, now=now)

    assert payment_terms(booking) == PaymentTerms(booking.amount_paise, booking.pay_by)
    assert deadline(booking) == booking.due_at
    assert client_id_of(booking) == booking.client_id


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("column", "asked"),
    [
        ("psychologist_id", held_session),
        ("slot_start", held_session),
        ("slot_end", held_session),
        ("psychologist", psychologist_of),
        ("amount_paise", payment_terms),
        ("pay_by", payment_terms),
        ("due_at", deadline),
        ("client_id", client_id_of),
    ],
)
def test_a_guaranteed_column_that_is_empty_is_named_with_its_booking(
    column: str, asked: Callable[[Booking], Any], now: datetime
) -> None:
    booking = factories.make_booking(State.APPROVED, now=now)
    setattr(booking, column, None)

    with pytest.raises(Missing, match=f"^{column} is empty: <Booking: {booking.acknowledgement_id}>$"):
        asked(booking)


def test_what_is_missing_is_no_refusal_that_a_door_would_show() -> None:
    assert not issubclass(Missing, Refused)
    assert required(0, "amount") == 0


def test_it_is_raised_without_assertions_too() -> None:
    code = "from backend.core.errors import required; required(None, 'slot_start')"
    ended = subprocess.run(
        [sys.executable, "-O", "-c", code], cwd=settings.BASE_DIR, capture_output=True, text=True, check=False
    )
    assert ended.stderr.strip().endswith("Missing: slot_start is empty")


def test_nothing_that_must_be_there_is_only_asserted() -> None:
    lines = (
        f"{path.relative_to(settings.BASE_DIR)}: {line.strip()}"
        for package in ("backend", "workers", "config")
        for path in (settings.BASE_DIR / package).rglob("*.py")
        for line in path.read_text().splitlines()
        if line.lstrip().startswith("assert ")
    )
    assert [line for line in lines if IS_NOT_NONE in line] == []
