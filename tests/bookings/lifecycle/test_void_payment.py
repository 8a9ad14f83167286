"""A payment at the desk that was recorded by mistake is taken back, and the booking owes what it owed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from backend.bookings import queries
from backend.bookings.lifecycle import attempts, cancellation, desk_money, payments, refunds, timers
from backend.bookings.lifecycle.void_payment import void_desk_payment
from backend.bookings.machine import State
from backend.bookings.models import Booking, LedgerEntry
from backend.bookings.notices import Notice
from backend.core.errors import Code, Refused
from backend.outbox.models import Message
from backend.payments.gateway import RefundOrderState, RefundReport
from backend.payments.models import Payment, PaymentState, Refund, VoidReason
from backend.people.models import Location
from tests.support import scenarios

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only, pytest.mark.usefixtures("sandbox_payments")]
STAFF = {"actor": "staff:desk"}


def code_of(booking: Booking, now: datetime) -> Code:
    before = Message.objects.count(), LedgerEntry.objects.count()
    with pytest.raises(Refused) as refused:
        void(booking, now)
    assert (Message.objects.count(), LedgerEntry.objects.count()) == before
    return refused.value.code


def void(booking: Booking, now: datetime) -> Booking:
    void_desk_payment(booking.pk, VoidReason.WRONG_BOOKING, now=now, **STAFF)
    return scenarios.again(booking)


def paid(now: datetime) -> Booking:
    return desk_money.record_desk_payment(scenarios.approved(now=now).pk, now=now, **STAFF)


def owed(booking: Booking) -> list[str]:
    rows = Message.objects.filter(booking_id=booking.pk, ledger_sequence=booking.ledger_sequence)
    return sorted(rows.values_list("kind", flat=True))


def test_the_booking_awaits_payment_again_and_both_sides_hear_it(now: datetime) -> None:
    was = scenarios.approved(now=now)
    booking = void(desk_money.record_desk_payment(was.pk, now=now, **STAFF), now)
    assert (booking.state, booking.pay_by, booking.due_at) == (State.APPROVED, was.pay_by, was.due_at)
    assert queries.payment_status_value(booking) == "open"
    assert owed(booking) == [Notice.PAYMENT_VOIDED, Notice.PSYCHOLOGIST_SESSION_UNCONFIRMED]
    payment, entry = Payment.objects.get(), LedgerEntry.objects.latest("pk")
    assert (payment.state, payment.captured_paise, payment.captured_at) == (PaymentState.VOIDED, 150_000, now)
    assert (entry.actor, entry.details["why"]) == ("staff:desk", "wrong_booking")
    assert not Refund.objects.exists()
    timers.time_out_approval(booking.pk, now=booking.due_at)
    assert scenarios.again(booking).state == State.CANCELLED


def test_the_visitor_may_pay_then_and_one_set_of_reminders_comes(now: datetime) -> None:
    booking = void(paid(now), now)
    payment = attempts.start_payment(booking.acknowledgement_id, now=now)
    payments.record_report(scenarios.captured(payment), actor="gateway:sandbox", now=now)
    assert scenarios.again(booking).state == State.CONFIRMED
    assert code_of(booking, now) is Code.NOT_PAID_AT_DESK


@pytest.mark.parametrize(("before", "state"), [(timedelta(seconds=1), State.APPROVED), (timedelta(0), State.CONFIRMED)])
def test_once_the_time_to_pay_is_over_the_session_stays_and_is_to_be_paid_at_the_practice(
    before: timedelta, state: State, now: datetime
) -> None:
    booking = paid(now)
    booking = void(booking, booking.pay_by - before)
    assert booking.state == state
    if state == State.CONFIRMED:
        assert queries.payment_status_value(booking) == "due_at_practice"
        assert owed(booking) == [Notice.PAYMENT_VOIDED]
        desk_money.record_desk_payment(booking.pk, now=booking.pay_by, **STAFF)
        assert queries.payment_status_value(booking) == "paid"


def test_a_session_paid_at_the_practice_is_due_there_again_and_the_visitor_hears_it(now: datetime) -> None:
    place = Location.objects.create(name="Baner", address="12 Baner Road, Pune")
    who = scenarios.psychologist(location=place)
    booking = scenarios.approved(now=now, who=who, mode="OFFLINE", payment_mode="OFFLINE")
    booking = void(desk_money.record_desk_payment(booking.pk, now=now, **STAFF), now)
    assert (booking.state, queries.payment_status_value(booking)) == (State.CONFIRMED, "due_at_practice")
    assert owed(booking) == [Notice.PAYMENT_VOIDED]


def test_after_the_session_only_what_is_paid_changes(now: datetime) -> None:
    booking = paid(now)
    timers.complete_session(booking.pk, now=booking.due_at)
    booking = void(booking, booking.due_at)
    assert (booking.state, queries.payment_status_value(booking)) == (State.COMPLETED, "due_at_practice")
    assert owed(booking) == []


def test_a_session_called_off_owes_nothing_more(now: datetime) -> None:
    booking = paid(now)
    none = cancellation.RefundChoice.NONE
    cancellation.cancel_by_staff(booking.pk, note_to_visitor="", refund=none, refund_reason="late", now=now, **STAFF)
    booking = void(booking, now)
    assert (booking.state, queries.payment_status_value(booking)) == (State.CANCELLED, "not_needed")


def test_a_second_correction_finds_nothing(now: datetime) -> None:
    booking = void(paid(now), now)
    assert code_of(booking, now) is Code.NOT_PAID_AT_DESK


def test_money_of_the_gateway_is_not_the_desks_to_correct(now: datetime) -> None:
    assert code_of(scenarios.confirmed(now=now), now) is Code.NOT_PAID_AT_DESK


def test_what_was_promised_back_stands(now: datetime) -> None:
    booking = paid(now)
    refunds.grant_refund(booking.pk, 50_000, now=now, **STAFF)
    assert code_of(booking, now) is Code.PAYMENT_GIVEN_BACK


def test_while_money_that_came_online_goes_back_nothing_is_corrected(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    desk_money.record_desk_payment(booking.pk, now=now, **STAFF)
    payments.record_report(scenarios.captured(payment), actor="gateway:sandbox", now=now)
    assert code_of(booking, now) is Code.MONEY_RETURNING
    refund = Refund.objects.get()
    report = RefundReport(refund.reference, "rf_1", RefundOrderState.DONE, refund.amount_paise)
    refunds.record_refund(refund.pk, report, now=now)
    assert void(booking, now).state == State.APPROVED
