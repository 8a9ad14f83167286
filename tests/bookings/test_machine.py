"""The machine alone: every transition from every state, against the table of the design."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, models, transaction
from django.db.models.signals import post_init, pre_init
from django_fsm import TransitionNotAllowed

from backend.bookings import machine
from backend.bookings.machine import ACTIVE, FINAL, HOLDS_SLOT, Reason, State
from backend.bookings.models import Booking, Mode
from tests.support import factories, scenarios

pytestmark = pytest.mark.sqlite_only

D, P, A, PP, C, X = (
    State.DRAFT,
    State.PENDING,
    State.APPROVED,
    State.PAYMENT_PENDING,
    State.CONFIRMED,
    State.CANCELLED,
)
ARROWS: dict[str, dict[State, State]] = {
    "verify": {D: P},
    "lapse": {D: X},
    "approve": {P: A},
    "approve_without_payment": {P: C},
    "reject": {P: State.REJECTED},
    "start_payment": {A: PP},
    "end_attempt": {PP: A},
    "confirm": {A: C, PP: C},
    "void_payment": {C: A},
    "fail_payment": {PP: State.PAYMENT_FAILED},
    "cancel": {P: X, A: X, PP: X, C: X},
    "complete": {C: State.COMPLETED},
    "reinstate": {X: C, State.PAYMENT_FAILED: C},
    "undo_to_pending": {A: P, C: P, State.REJECTED: P, X: P},
    "undo_to_approved": {X: A},
    "undo_to_confirmed": {X: C},
}

UNDOING = ("undo_to_pending", "undo_to_approved", "undo_to_confirmed")


def arguments(name: str, now: datetime) -> dict[str, object]:
    due = {"due_at": now + timedelta(hours=1)}
    closing = {"reason": Reason.BY_STAFF, "now": now}
    return {
        "lapse": {"reason": Reason.SUPERSEDED, "now": now},
        "reject": closing,
        "cancel": closing,
        "fail_payment": closing,
        "complete": {"now": now},
        "end_attempt": {**due, "reason": Reason.ATTEMPT_IDLE},
        **{name: {**due, "reason": ""} for name in UNDOING},
    }.get(name, due)


@pytest.mark.parametrize("name", list(ARROWS))
def test_each_transition_is_allowed_from_its_sources_and_refused_from_every_other_state(
    name: str, now: datetime
) -> None:
    for state in State:
        _leads_to_its_target_alone(name, state, now)


def _leads_to_its_target_alone(name: str, state: State, now: datetime) -> None:
    booking = Booking(state=state, reason=Reason.PAYMENT_TIMED_OUT, undo_until=now, pay_by=now)
    target = ARROWS[name].get(state)
    run = getattr(booking, name)
    if target is None:
        with pytest.raises(TransitionNotAllowed):
            run(**arguments(name, now))
        assert booking.state == state
        return
    run(**arguments(name, now))
    assert booking.state == target
    assert (booking.due_at is None) == (target in FINAL)
    assert (booking.closed_at is not None) == (target in FINAL)


def test_the_table_above_names_every_transition_of_the_machine() -> None:
    assert {t.name for t in Booking().get_all_state_transitions()} == set(ARROWS)


@pytest.mark.parametrize("reason", [r for r in Reason if r != Reason.PAYMENT_TIMED_OUT])
def test_only_a_booking_that_was_not_paid_in_time_comes_back(reason: Reason, now: datetime) -> None:
    with pytest.raises(TransitionNotAllowed):
        Booking(state=State.CANCELLED, reason=reason).reinstate(due_at=now)


@pytest.mark.parametrize("name", UNDOING)
def test_only_a_step_that_was_taken_with_a_window_is_undone(name: str, now: datetime) -> None:
    with pytest.raises(TransitionNotAllowed):
        getattr(Booking(state=State.CANCELLED), name)(due_at=now, reason="")


def test_the_state_cannot_be_assigned() -> None:
    with pytest.raises(AttributeError):
        Booking().state = State.CONFIRMED


def test_the_groups_of_states_partition_the_machine() -> None:
    assert {*FINAL, *ACTIVE, State.DRAFT} == set(State)
    assert set(HOLDS_SLOT) < set(ACTIVE)


@pytest.mark.django_db
@pytest.mark.parametrize("state", list(State))
def test_the_database_refuses_a_waiting_state_without_deadline_and_a_final_one_with(
    state: State, now: datetime
) -> None:
    wrong = {"due_at": now} if state in FINAL else {"closed_at": now}
    with pytest.raises(IntegrityError), transaction.atomic():
        Booking.objects.create(
            state=state, preferred_date=now.date(), preferred_period="MORNING", created_at=now, **wrong
        )


def test_the_groups_of_states_tell_them_apart_as_their_names_say() -> None:
    assert machine.AWAITS_PAYMENT == (State.APPROVED, State.PAYMENT_PENDING)
    assert (*machine.AWAITS_PAYMENT, State.CONFIRMED) == machine.HOLDS_SLOT
    assert (State.PENDING, *machine.HOLDS_SLOT) == machine.ACTIVE
    assert machine.TAKES_PLACE == (State.CONFIRMED, State.COMPLETED)
    assert set(machine.WAITING) | set(machine.FINAL) == set(State)
    assert not set(machine.WAITING) & set(machine.FINAL)


@pytest.mark.django_db
def test_a_column_that_is_read_after_a_transition_leaves_the_state(now: datetime) -> None:
    scenarios.submitted(now=now)
    booking = Booking.objects.only("state", "reason", "due_at", "closed_at").get()
    booking.lapse(reason=Reason.EMAIL_NOT_VERIFIED, now=now)
    assert booking.mode == Mode.ONLINE
    assert booking.state == State.CANCELLED
    booking.refresh_from_db(fields=["state"])
    assert booking.state == State.DRAFT


@pytest.mark.django_db
def test_a_booking_is_read_as_django_would_read_it(now: datetime) -> None:
    """And nobody listens for the making of one, whom our own way would not tell."""
    made = factories.make_booking("CONFIRMED", now=now)
    every = [column.attname for column in Booking._meta.concrete_fields]
    for names in (every, ["id", "state", "city"]):
        (row,) = Booking.objects.filter(pk=made.pk).values_list(*names)
        ours = Booking.from_db("default", names, row)
        djangos = models.Model.from_db.__func__(Booking, "default", names, row)
        assert _held(ours) == _held(djangos)
        assert (ours._state.db, ours._state.adding) == (djangos._state.db, djangos._state.adding)
        assert ours.get_deferred_fields() == djangos.get_deferred_fields()
    assert not pre_init.has_listeners(Booking)
    assert not post_init.has_listeners(Booking)


def _held(booking: Booking) -> dict[str, Any]:
    return {name: value for name, value in vars(booking).items() if name != "_state"}
