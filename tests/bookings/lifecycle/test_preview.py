"""What the desk foretells is what then happens, row by row, for every action in every state; nothing of it stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection, models
from django.http import QueryDict

from backend.bookings.lifecycle import preview
from backend.bookings.lifecycle.preview import BookingChange, ChangeObserver
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.desk import consequences
from backend.desk.booking.actions.action import Decision
from backend.desk.booking.actions.decide import carry_out, what_follows
from backend.payments.models import Payment, PaymentMethod, PaymentState, Refund, RefundState
from tests.support import scenarios
from tests.support.action_cases import ACTIONS, Case
from tests.support.factories import make_booking
from tests.support.more_action_cases import AFTER, TABLE

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only]


@pytest.fixture(autouse=True)
def _sandbox(settings) -> None:
    settings.PAYMENT_GATEWAY = "sandbox"


@pytest.fixture(autouse=True)
def clock(now: datetime) -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(now, tick=False) as travelled:
        yield travelled


every_case = pytest.mark.parametrize("case", TABLE, ids=lambda case: f"{case.name}-{case.begin.__name__}")


@pytest.fixture
def begun(case: Case, now: datetime, clock: time_machine.Coordinates) -> Booking:
    """The case's booking, at the time when staff act."""
    booking = case.begin(now)
    clock.move_to(now + case.at)
    return scenarios.again(booking)


def decision(case: Case, booking: Booking, now: datetime) -> Decision[Any]:
    sent = QueryDict(mutable=True)
    sent.update(case.typed(booking))
    form = case.action.form(booking, sent)
    assert form.is_valid(), form.errors
    return Decision(form, actor="staff:desk", now=now + case.at)


def everything() -> dict[str, list[str]]:
    """Every row of every table as PostgreSQL writes it, in one question."""
    tables = {model._meta.label: connection.ops.quote_name(model._meta.db_table) for model in apps.get_models()}
    found: dict[str, list[str]] = {label: [] for label in tables}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"SELECT '{label}', t::text FROM {name} t" for label, name in tables.items()))
        for label, row in cursor.fetchall():
            found[label].append(row)
    return {label: sorted(rows) for label, rows in found.items()}


FRESH = ("id", "uuid", "reference", "dedupe_key", "correlation_id", "subject_id", "acknowledgement_id", "payment_id")


def plain(row: models.Model | None) -> dict[str, Any]:
    """A row without what is drawn anew for every row: its number, its reference, and what is made of them."""
    if row is None:
        return {}
    fields = [field.attname for field in row._meta.concrete_fields if field.attname not in row.get_deferred_fields()]
    values = {name: getattr(row, name) for name in fields if name not in FRESH}
    if "details" in values:
        values["details"] = {
            name: value for name, value in values["details"].items() if name not in ("refund", "payment")
        }
    return values


def rows(change: BookingChange) -> dict[str, Any]:
    one = {name: plain(getattr(change, name)) for name in ("before", "after", "claim_before", "claim_after")}
    many = ("ledger", "messages", "payments", "refunds", "alternatives")
    return one | {name: [plain(row) for row in getattr(change, name)] for name in many} | {"left": change.left_paise}


# -- what is foretold is what happens ----------------------------------------------------------------------------------


SEEN_IN = {
    "bookings.Booking", "bookings.LedgerEntry", "bookings.SlotClaim", "bookings.Alternative", "outbox.Message",
    "payments.Payment", "payments.Refund", "payments.Receipt", "payments.ReceiptSeries",
    "bookings.Link",  # goes with its mail
}  # fmt: skip


@every_case
def test_what_is_foretold_is_what_then_happens_and_foretelling_leaves_every_table_as_it_was(
    case: Case, begun: Booking, now: datetime
) -> None:
    """And what happens is written where foretelling looks."""
    decided = decision(case, begun, now)
    before = everything()
    foretold = preview.preview_change(begun.pk, lambda: carry_out(case.action, decided))
    said = what_follows(case.action, decided)
    assert everything() == before
    witness = ChangeObserver(begun.pk)
    carry_out(case.action, decided)
    happened = witness.change(begun.pk)
    assert rows(foretold) == rows(happened)
    assert said == consequences.told(happened)
    assert len(happened.ledger) == 1
    after = everything()
    assert {label for label in after if after[label] != before[label]} <= SEEN_IN


HAS_MONEY = (State.CONFIRMED, State.COMPLETED, State.CANCELLED)  # an expected capture is there only after CONFIRMED
MAY_OWE = (*HAS_MONEY, State.APPROVED, State.PAYMENT_PENDING, State.PAYMENT_FAILED)  # what nobody expected came before


def openings(state: State, now: datetime) -> set[str]:
    """The actions that are open in a state, whatever the money, the mode and the time."""
    booking = make_booking(state, now=now)
    found = opened(booking, now)
    found |= opened(booking, now + AFTER)
    Booking.objects.filter(pk=booking.pk).update(mode="OFFLINE", payment_mode="OFFLINE")
    found |= opened(scenarios.again(booking), now)
    given: dict[str, Any] = {"booking": booking, "amount_paise": 1, "currency": "INR", "started_at": now}
    given |= {"state": PaymentState.CAPTURED, "captured_paise": 1, "method": PaymentMethod.ONLINE}
    if state in HAS_MONEY:
        Payment.objects.filter(booking=booking).delete()
        Payment.objects.create(reference="PAY-1", **given)
        found |= opened(scenarios.again(booking), now)
    if state in MAY_OWE:
        odd = Payment.objects.create(reference="PAY-2", is_unexpected=True, **given)
        owed: dict[str, Any] = {"amount_paise": 1, "reason": "x", "actor": "x", "queued_at": now}
        Refund.objects.create(payment=odd, reference="REF-1", state=RefundState.REFUSED, **owed)
        found |= opened(scenarios.again(booking), now)
    return found


def opened(booking: Booking, now: datetime) -> set[str]:
    return {action.name for action in ACTIONS if action.is_open(booking, now)}


def test_every_action_has_a_case_in_every_state_in_which_it_is_open(
    now: datetime, clock: time_machine.Coordinates
) -> None:
    covered = set()
    for case in TABLE:
        with preview.preview_transaction():
            booking = scenarios.again(case.begin(now))
            covered.add((case.name, State(booking.state)))
            assert case.action.is_open(booking, now + case.at), case
    expected = set()
    for state in State:
        with preview.preview_transaction():
            expected |= {(name, state) for name in openings(state, now)}
    assert expected <= covered
