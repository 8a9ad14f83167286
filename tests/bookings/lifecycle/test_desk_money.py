"""A sum that is paid at the practice in parts: each its payment and receipt; together they pay, or go back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from backend.bookings import queries
from backend.bookings.ledger_details import refunds_named
from backend.bookings.lifecycle import attempts, cancellation, desk_money, front_desk, payments, refunds, timers, undo
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.lifecycle.desk_money import Handed
from backend.bookings.lifecycle.payments import ReportOutcome
from backend.bookings.lifecycle.void_payment import void_desk_payment
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry
from backend.bookings.notices import Notice
from backend.bookings.payment_status import left_paise, outstanding_paise, owes_at_practice, takes_at_desk
from backend.core.errors import Code, Refused
from backend.outbox.models import Message
from backend.payments.models import DeskMeans, Payment, PaymentMethod, Receipt, Refund, RefundState, VoidReason
from backend.people.models import Corporate, Location
from tests.support import scenarios

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only, pytest.mark.usefixtures("sandbox_payments")]
DESK = {"actor": "staff:desk"}
GATEWAY = "gateway:sandbox"


def part(booking: Booking, rupees: int | None, *, now: datetime, means: DeskMeans = DeskMeans.CASH) -> Booking:
    handed = Handed(means, amount_paise=None if rupees is None else rupees * 100)
    return desk_money.record_desk_payment(booking.pk, handed, now=now, **DESK)


def code_of(act: Callable[[], object]) -> Code:
    before = Payment.objects.count(), LedgerEntry.objects.count(), Message.objects.count()
    with pytest.raises(Refused) as refused:
        act()
    assert before == (Payment.objects.count(), LedgerEntry.objects.count(), Message.objects.count())
    return refused.value.code


def stands(booking: Booking) -> tuple[str, str, int]:
    """State, how far the money is, and what is left to pay, in rupees."""
    booking = scenarios.again(booking)
    return booking.state, queries.payment_status_value(booking), outstanding_paise(booking) // 100


def going_back() -> list[tuple[str, int]]:
    """By way and sum, oldest first."""
    rows = Refund.objects.exclude(state=RefundState.WITHDRAWN).order_by("pk")
    return [(one.payment.method, one.amount_paise // 100) for one in rows]


@pytest.fixture
def booking(now: datetime) -> Booking:
    return scenarios.approved(now=now)


@pytest.fixture
def at_practice(now: datetime) -> Booking:
    who = scenarios.psychologist(location=Location.objects.create(name="Baner", address="12 Baner Road, Pune"))
    return scenarios.approved(now=now, who=who, mode="OFFLINE", payment_mode="OFFLINE")


def test_the_booking_is_confirmed_by_the_part_that_completes_the_sum(booking: Booking, now: datetime) -> None:
    part(booking, 500, now=now)
    assert stands(booking) == (State.APPROVED, "part_paid", 1000)
    part(booking, 400, now=now, means=DeskMeans.UPI)
    assert stands(booking) == (State.APPROVED, "part_paid", 600)
    part(booking, None, now=now, means=DeskMeans.CARD)
    assert stands(booking) == (State.CONFIRMED, "paid", 0)
    assert code_of(lambda: part(booking, 1, now=now)) is Code.ALREADY_PAID
    told = scenarios.notices_about(booking)
    assert (told.count(Notice.PAYMENT_RECEIVED), told.count(Notice.BOOKING_CONFIRMED)) == (2, 1)
    assert [one.description.partition("; ")[2] for one in Receipt.objects.order_by("pk")] == [
        "part payment, ₹1,000.00 of ₹1,500.00 left",
        "part payment, ₹600.00 of ₹1,500.00 left",
        "last part of ₹1,500.00",
    ]


@pytest.mark.parametrize("rupees", [0, 1001])
def test_nothing_and_more_than_is_left_are_refused_with_what_is_left(
    rupees: int, booking: Booking, now: datetime
) -> None:
    part(booking, 500, now=now)
    assert code_of(lambda: part(booking, rupees, now=now)) is Code.AMOUNT_EXCEEDS_REST


def test_a_session_due_at_the_practice_is_paid_there_in_parts(at_practice: Booking, now: datetime) -> None:
    part(at_practice, 500, now=now)
    assert stands(at_practice) == (State.CONFIRMED, "part_paid", 1000)
    rows = Booking.objects.filter(owes_at_practice(), pk=at_practice.pk)
    assert rows.values_list(takes_at_desk(), flat=True).get() == 100_000
    part(at_practice, None, now=now)
    assert stands(at_practice) == (State.CONFIRMED, "paid", 0)
    assert not rows.exists()
    assert scenarios.notices_about(at_practice).count(Notice.PAYMENT_RECEIVED) == 2


def test_the_rest_may_be_paid_online(booking: Booking, now: datetime) -> None:
    part(booking, 500, now=now)
    payment = attempts.start_payment(booking.acknowledgement_id, now=now)
    assert payment.amount_paise == 100_000
    assert payments.record_report(scenarios.captured(payment), actor=GATEWAY, now=now) is ReportOutcome.CONFIRMED
    assert stands(booking) == (State.CONFIRMED, "paid", 0)
    assert not Refund.objects.exists()


def test_a_part_ends_the_attempt_that_asks_for_the_whole_sum(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    part(booking, 500, now=now)
    assert stands(booking) == (State.APPROVED, "part_paid", 1000)
    # paid all the same: the session is confirmed by it, and the part is handed back
    assert payments.record_report(scenarios.captured(payment), actor=GATEWAY, now=now) is ReportOutcome.CONFIRMED
    assert (stands(booking), going_back()) == ((State.CONFIRMED, "paid", 0), [("desk", 500)])
    assert Payment.objects.get(method=PaymentMethod.DESK).is_unexpected
    assert {Notice.REFUND_QUEUED, Notice.STAFF_REFUND_DUE} <= set(scenarios.notices_about(booking))
    refunds.record_refund_made(Refund.objects.get().pk, now=now, **DESK)
    assert Receipt.objects.filter(refund=Refund.objects.get()).exists()  # the credit note of the part's receipt


def test_an_attempt_for_a_rest_that_has_grown_since_goes_back(booking: Booking, now: datetime) -> None:
    part(booking, 500, now=now)
    payment = attempts.start_payment(booking.acknowledgement_id, now=now)
    void_desk_payment(booking.pk, VoidReason.NOT_RECEIVED, now=now, **DESK)
    assert stands(booking) == (State.APPROVED, "open", 1500)
    assert payments.record_report(scenarios.captured(payment), actor=GATEWAY, now=now) is ReportOutcome.RETURNED
    assert (stands(booking), going_back()) == ((State.APPROVED, "open", 1500), [("online", 1000)])


def test_a_part_that_is_voided_is_owed_again_and_the_others_stand(booking: Booking, now: datetime) -> None:
    for rupees in (500, 400, None):
        part(booking, rupees, now=now)
    first = Payment.objects.order_by("pk").first()
    void_desk_payment(booking.pk, VoidReason.NOT_RECEIVED, reference=first.reference, now=now, **DESK)
    assert stands(booking) == (State.APPROVED, "part_paid", 500)
    again = lambda: void_desk_payment(  # noqa: E731
        booking.pk, VoidReason.NOT_RECEIVED, reference=first.reference, now=now, **DESK
    )
    assert code_of(again) is Code.NOT_PAID_AT_DESK
    void_desk_payment(booking.pk, VoidReason.NOT_RECEIVED, now=now, **DESK)  # the last
    assert stands(booking) == (State.APPROVED, "part_paid", 1100)


def test_a_part_that_is_given_back_would_be_owed_again_so_it_is_not(booking: Booking, now: datetime) -> None:
    part(booking, 500, now=now)
    assert code_of(lambda: refunds.grant_refund(booking.pk, None, now=now, **DESK)) is Code.PART_PAID
    acme = Corporate.objects.create(name="Acme")
    assert code_of(lambda: front_desk.sponsor(booking.pk, acme.pk, now=now, **DESK)) is Code.PART_PAID


def test_a_refund_takes_the_newest_money_first_and_never_more_than_was_paid(booking: Booking, now: datetime) -> None:
    part(booking, 500, now=now)
    payment = attempts.start_payment(booking.acknowledgement_id, now=now)
    payments.record_report(scenarios.captured(payment), actor=GATEWAY, now=now)
    assert code_of(lambda: refunds.grant_refund(booking.pk, 150_001, now=now, **DESK)) is Code.REFUND_EXCEEDS_CAPTURE
    refunds.grant_refund(booking.pk, 120_000, now=now, **DESK)
    assert going_back() == [("online", 1000), ("desk", 200)]
    entry = LedgerEntry.objects.filter(booking=booking).latest("sequence")
    assert len(refunds_named(entry)) == 2
    refused = lambda: void_desk_payment(booking.pk, VoidReason.NOT_RECEIVED, now=now, **DESK)  # noqa: E731
    assert code_of(refused) is Code.PAYMENT_GIVEN_BACK
    refunds.grant_refund(booking.pk, None, now=now, **DESK)
    assert left_paise(scenarios.again(booking)) == 0


def test_what_was_paid_goes_back_when_the_practice_cancels_and_comes_back_when_that_is_undone(
    booking: Booking, now: datetime
) -> None:
    part(booking, 500, now=now)
    part(booking, 400, now=now)
    wish = {"note_to_visitor": "", "refund": RefundChoice.RULES, "refund_reason": ""}
    cancellation.cancel_by_staff(booking.pk, **wish, is_undoable=True, now=now, **DESK)
    assert (stands(booking)[:2], going_back()) == (
        (State.CANCELLED, "refund_to_hand_out"),
        [("desk", 400), ("desk", 500)],
    )
    undo.undo_decision(booking.pk, now=now, **DESK)
    assert (stands(booking), going_back()) == ((State.APPROVED, "part_paid", 600), [])


@pytest.mark.parametrize("is_paying", [False, True])
def test_when_the_time_to_pay_is_over_the_parts_go_back_and_staff_are_told(
    is_paying: bool, booking: Booking, now: datetime
) -> None:
    part(booking, 500, now=now)
    at = scenarios.again(booking).due_at
    if is_paying:
        begun = at - timedelta(minutes=3)
        payment = attempts.start_payment(booking.acknowledgement_id, now=begun)
        at = scenarios.again(booking).due_at
        attempts.end_idle_attempt(payment.pk, now=at)
    else:
        assert timers.time_out_approval.batch(now=at) == {booking.pk: True}
    closed = State.PAYMENT_FAILED if is_paying else State.CANCELLED
    assert (stands(booking)[:2], going_back()) == ((closed, "refund_to_hand_out"), [("desk", 500)])
    told = scenarios.notices_about(booking)
    assert {Notice.PAYMENT_TIMED_OUT, Notice.REFUND_QUEUED, Notice.STAFF_REFUND_DUE} <= set(told)
    if is_paying:  # the rest that comes late pays for nothing, for the part goes back
        outcome = payments.record_report(scenarios.captured(payment), actor=GATEWAY, now=at)
        assert (outcome, going_back()) == (ReportOutcome.RETURNED, [("desk", 500), ("online", 1000)])


def test_all_of_the_sum_that_comes_late_brings_the_session_back(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    part(booking, 500, now=now)
    at = scenarios.again(booking).due_at
    timers.time_out_approval(booking.pk, now=at)
    outcome = payments.record_report(scenarios.captured(payment), actor=GATEWAY, now=at)
    assert (outcome, stands(booking)) == (ReportOutcome.REINSTATED, (State.CONFIRMED, "paid", 0))
    assert going_back() == [("desk", 500)]


def test_a_part_is_taken_while_there_is_time_for_the_rest(booking: Booking, now: datetime) -> None:
    at = scenarios.again(booking).due_at
    assert code_of(lambda: part(booking, 500, now=at)) is Code.PAY_BY_PASSED
    part(booking, None, now=at)
    assert stands(booking) == (State.CONFIRMED, "paid", 0)
