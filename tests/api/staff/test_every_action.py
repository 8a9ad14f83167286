"""Every action of the staff API in every state is done or refused."""

from __future__ import annotations

from datetime import datetime

import pytest

from backend.bookings.machine import FINAL, State
from backend.people.models import Corporate
from tests.support import api, factories, scenarios
from tests.support.database_rows import everything
from tests.support.staff_api import (
    ACTIONS,
    Desk,
    valid_bodies,
)

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]
ALLOWED = {
    "approve": {State.PENDING},
    "reject": {State.PENDING},
    "cancel": {State.PENDING, State.APPROVED, State.PAYMENT_PENDING, State.CONFIRMED},
    "reschedule": {State.APPROVED, State.PAYMENT_PENDING, State.CONFIRMED},
    "offer-choice": {State.APPROVED, State.PAYMENT_PENDING, State.CONFIRMED},
    "desk-payment": {State.APPROVED, State.PAYMENT_PENDING, State.CONFIRMED, State.COMPLETED},  # nothing was paid
    "sponsor": {State.PENDING, State.APPROVED, State.PAYMENT_PENDING},
    "refund": set(),  # nothing was paid
    "refund-made": set(),
    "outcome": {State.COMPLETED},  # the session of the confirmed one is tomorrow
}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", ACTIONS)
def test_every_intent_in_every_state_is_done_or_refused(staff: Desk, action: str, state: State, now: datetime) -> None:
    booking = factories.make_booking(state, now=now)
    Corporate.objects.create(pk=1, name="Acme")
    body = valid_bodies((booking.psychologist or scenarios.psychologist()).pk, now)[action]
    unchanged = everything()
    response = staff.act(booking, action, body)
    if state in ALLOWED[action]:
        shown = api.done(response)
        assert shown["status"] == scenarios.again(booking).state
        assert scenarios.again(booking).ledger_sequence == booking.ledger_sequence + 1
    else:
        assert response.status_code in (404, 409)
        api.error(response, response.status_code, response.json()["code"])
        assert everything() == unchanged


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_refuses_a_body_that_is_no_object(staff: Desk, action: str, now: datetime) -> None:
    booking = factories.make_booking(State.PENDING, now=now)
    for body in (b"[]", b"{", b'"x"', b"\xff"):
        api.error(staff.post(f"{booking.acknowledgement_id}/{action}/", body), 400, "malformed")


def test_a_closed_booking_says_why_it_refuses(staff: Desk, now: datetime) -> None:
    for number, state in enumerate(FINAL):
        booking = factories.make_booking(state, now=now, email=f"v{number}@example.org")
        detail = api.error(staff.act(booking, "cancel"), 409, "state_refuses")["detail"]
        assert "moved on" not in detail
