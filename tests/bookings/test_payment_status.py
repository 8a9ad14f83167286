"""The rules about a booking's money and time, each asked of its one function."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import product

import pytest
from django.db import models, transaction

from backend.bookings import payment_status, policy, queries
from backend.bookings.lifecycle.attempts import close_open_attempt
from backend.bookings.machine import FINAL, State
from backend.bookings.models import Booking, Mode, PaymentMode
from backend.bookings.payment_status import PaymentStatus
from backend.bookings.refund_policy import (
    cancellation_refund_paise,
    is_timely_cancellation,
    move_until,
    moves_left,
    refund_deadline,
)
from backend.payments.models import Payment, PaymentState, RefundState
from backend.people.models import Corporate
from tests.support.factories import make_booking, make_payment, make_refund

pytestmark = pytest.mark.django_db
RAVI = "ravi@example.org"
SECOND = timedelta(seconds=1)
POLICIES = ["none", "full"]


def session(now: datetime, *, moved_by_staff: bool = False) -> Booking:
    """Confirmed, of 1,500 rupees that were paid."""
    booking = make_booking(State.CONFIRMED, now=now, moved_by_staff_at=now if moved_by_staff else None)
    make_payment(booking, now=now)
    return booking


def starts(booking: Booking) -> datetime:
    assert booking.slot_start is not None
    return booking.slot_start


@pytest.mark.parametrize(("off", "is_in_time"), [(-SECOND, True), (0 * SECOND, True), (SECOND, False)])
def test_a_visitor_cancels_in_time_until_the_notice_begins(off: timedelta, is_in_time: bool, now: datetime) -> None:
    booking = session(now)
    assert is_timely_cancellation(booking, asked_at=starts(booking) - policy.CANCEL_NOTICE + off) is is_in_time


@pytest.mark.parametrize(("off", "is_in_time"), [(-SECOND, True), (0 * SECOND, False), (SECOND, False)])
def test_after_a_move_by_staff_a_visitor_cancels_in_time_until_the_start(
    off: timedelta, is_in_time: bool, now: datetime
) -> None:
    booking = session(now, moved_by_staff=True)
    assert is_timely_cancellation(booking, asked_at=starts(booking) + off) is is_in_time


def test_a_request_without_a_slot_has_no_time_to_cancel_in(now: datetime) -> None:
    booking = make_booking(State.PENDING, now=now)
    assert not is_timely_cancellation(booking, asked_at=now)
    assert refund_deadline(booking) is None
    assert move_until(booking) is None


@pytest.mark.parametrize("off", [-SECOND, 0 * SECOND, SECOND])
@pytest.mark.parametrize("refund", POLICIES)
def test_what_comes_back_hangs_on_the_notice_and_on_the_policy(
    refund: str, off: timedelta, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", refund)
    booking = session(now)
    ends_at = starts(booking) - policy.CANCEL_NOTICE
    comes_back = 150_000 if refund == "full" and off <= 0 * SECOND else 0
    assert cancellation_refund_paise(booking, asked_at=ends_at + off) == comes_back
    assert refund_deadline(booking) == (ends_at if refund == "full" else None)


@pytest.mark.parametrize("refund", POLICIES)
def test_after_a_move_by_staff_all_comes_back_until_the_start_whatever_the_policy(
    refund: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", refund)
    booking = session(now, moved_by_staff=True)
    assert cancellation_refund_paise(booking, asked_at=starts(booking) - SECOND) == 150_000
    assert cancellation_refund_paise(booking, asked_at=starts(booking)) == 0
    assert refund_deadline(booking) is None


@pytest.mark.parametrize(("moves", "left"), [(0, 2), (1, 1), (2, 0), (3, 0)])
def test_a_visitor_moves_as_often_as_the_policy_says_and_until_the_notice_begins(
    moves: int, left: int, now: datetime
) -> None:
    booking = make_booking(State.CONFIRMED, now=now, moves_by_visitor=moves)
    assert moves_left(booking) == left
    assert move_until(booking) == (starts(booking) - policy.CANCEL_NOTICE if left else None)


ATTEMPTS = [(state, False) for state in PaymentState] + [(PaymentState.CAPTURED, True)]


@pytest.mark.parametrize(("state", "is_unexpected"), ATTEMPTS)
def test_only_an_expected_capture_counts_as_paid_of_one_booking_and_of_many(
    state: PaymentState, is_unexpected: bool, now: datetime
) -> None:
    booking = make_booking(State.CONFIRMED, now=now)
    payment = make_payment(booking, now=now, state=state, is_unexpected=is_unexpected)
    counts = state == PaymentState.CAPTURED and not is_unexpected
    assert payment.counts is counts
    assert list(Payment.objects.counted()) == [payment] * counts
    assert payment_status.paid_payments(booking) == [payment] * counts
    assert payment_status.is_paid_up(booking) is counts
    assert list(Booking.objects.filter(payment_status.is_paid())) == [booking] * counts


def test_leaving_a_bookings_attempts_idle_ends_the_open_one_and_no_other(now: datetime) -> None:
    booking = make_booking(State.PAYMENT_PENDING, now=now)
    for state in PaymentState:
        make_payment(booking, now=now, state=state, closed_at=None)
    other = make_payment(make_booking(State.PAYMENT_PENDING, now=now, email=RAVI), now=now, state=PaymentState.OPEN)
    with transaction.atomic():
        close_open_attempt(booking, now=now)
    states = Payment.objects.filter(booking=booking).order_by("pk").values_list("state", "closed_at")
    assert list(states) == [("idle", now), ("failed", None), ("idle", None), ("captured", None), ("voided", None)]
    assert list(Payment.objects.open()) == [other]


def test_a_part_leaves_the_rest_of_one_booking_and_of_many(now: datetime) -> None:
    booking = make_booking(State.CONFIRMED, now=now)
    make_payment(booking, now=now, amount_paise=50_000, captured_paise=50_000)
    found = Booking.objects.filter(pk=booking.pk)
    assert found.values_list(payment_status.outstanding(), payment_status.takes_at_desk()).get() == (100_000, 100_000)
    assert (payment_status.outstanding_paise(booking), payment_status.owed_paise(booking)) == (100_000, 100_000)
    assert payment_status.payment_status(booking) is PaymentStatus.PART_PAID
    assert not found.filter(payment_status.is_paid()).exists()
    assert found.filter(payment_status.owes_at_practice()).exists()


@pytest.mark.parametrize("state", State)
def test_what_is_due_at_the_practice_is_the_same_asked_of_one_booking_and_of_many(state: State, now: datetime) -> None:
    sponsors = (None, Corporate.objects.create(name="Acme"))
    amounts = (None,) if state in (State.DRAFT, State.PENDING) else (0, 150_000)  # approval sets it
    for mode, pays, amount, by, is_paid in product(Mode, PaymentMode, amounts, sponsors, (False, True)):
        booking = _one(state, now=now, mode=mode, payment_mode=pays, amount_paise=amount, corporate=by)
        if is_paid:
            make_payment(booking, now=now)
        is_due = payment_status.payment_status(booking) is PaymentStatus.DUE_AT_PRACTICE
        assert Booking.objects.filter(payment_status.owes_at_practice(), pk=booking.pk).exists() is is_due


def _one(state: State, *, now: datetime, **fields: object) -> Booking:
    """Without client, ledger and slot: many of them stand side by side."""
    ends = {"closed_at": now} if state in FINAL else {"due_at": now}
    wish = {"preferred_date": now.date(), "preferred_period": "MORNING"}
    return Booking.objects.create(state=state, created_at=now, **ends, **wish, **fields)


def test_what_is_read_together_is_what_django_reads_one_by_one(now: datetime) -> None:
    booking = session(now)
    make_payment(booking, now=now, state=PaymentState.FAILED)
    paid = booking.payments.get(state=PaymentState.CAPTURED)
    for amount in (100, 200):
        make_refund(paid, now=now, amount_paise=amount, state=RefundState.DONE, settled_at=now)
    make_payment(make_booking(State.CONFIRMED, now=now, email=RAVI), now=now)

    def told(read: Booking) -> list[object]:
        payments = sorted((vars_of(one), sorted(map(vars_of, one.refunds.all()))) for one in read.payments.all())
        return [payments, payment_status.payment_status(read), payment_status.paid_paise(read)]

    expected = Booking.objects.prefetch_related("payments__refunds").get(pk=booking.pk)
    found = queries.progress(queries.proved(booking.acknowledgement_id).get())
    assert told(found.booking) == told(queries.progress(booking).booking) == told(expected)
    assert found.visited == [target for source, target in expected.ledger.values_list("source", "target")]


def vars_of(row: models.Model) -> str:
    return str({field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields})
