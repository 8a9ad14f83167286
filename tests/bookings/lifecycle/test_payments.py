"""Money: attempts, captures in any order, late and unexpected ones."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from backend.bookings import policy
from backend.bookings.lifecycle import approval as staff
from backend.bookings.lifecycle import attempts, cancellation, front_desk, inbox, payments, timers
from backend.bookings.lifecycle.payments import ReportOutcome
from backend.bookings.lifecycle.refunds import GatewayWork
from backend.bookings.machine import Reason, State
from backend.bookings.models import Booking, LedgerEntry, SlotClaim
from backend.bookings.notices import Notice
from backend.core.errors import Code, Refused
from backend.outbox.models import Message
from backend.payments.gateway import Event, EventKind, OrderState
from backend.payments.models import InboxEvent, Payment, PaymentState, Refund
from backend.people.models import Corporate
from tests.support import scenarios
from tests.support.scenarios import RAVI

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]
GATEWAY = "gateway:sandbox"


def code_of(call) -> Code:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value.code


def test_starting_to_pay_opens_one_attempt_and_asking_again_gives_the_same(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    assert booking.state == State.PAYMENT_PENDING
    assert booking.due_at == now + timedelta(minutes=40)
    assert attempts.start_payment(booking.acknowledgement_id, now=now + timedelta(minutes=1)) == payment
    assert Payment.objects.count() == 1
    assert Message.objects.filter(kind=GatewayWork.ENSURE_ORDER).count() == 1


@pytest.mark.sqlite_only
def test_of_a_booking_that_was_paid_and_called_off_nobody_says_that_its_money_goes_back(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    kept = {"refund": cancellation.RefundChoice.NONE, "refund_reason": "late", "note_to_visitor": ""}
    cancellation.cancel_by_staff(booking.pk, **kept, actor="staff:desk", now=now)
    reference = Payment.objects.get().reference
    assert code_of(lambda: payments.complete_payment(reference, now=now)) is Code.STATE_REFUSES


def test_an_attempt_begun_late_runs_to_pay_by(now: datetime) -> None:
    booking = scenarios.approved(now=now)
    assert booking.pay_by is not None
    late = booking.pay_by - timedelta(minutes=5)
    attempts.start_payment(booking.acknowledgement_id, now=late)
    assert scenarios.again(booking).due_at == booking.pay_by + timedelta(minutes=10)


def test_paying_is_refused_where_there_is_nothing_to_pay(now: datetime, settings) -> None:
    assert code_of(lambda: attempts.start_payment("MS-000000", now=now)) is Code.BOOKING_UNKNOWN
    draft = scenarios.submitted(RAVI, now=now)
    assert code_of(lambda: attempts.start_payment(draft.acknowledgement_id, now=now)) is Code.BOOKING_UNKNOWN
    booking = scenarios.approved(now=now)
    due_at = booking.due_at
    assert due_at is not None
    assert code_of(lambda: attempts.start_payment(booking.acknowledgement_id, now=due_at)) is Code.PAY_BY_PASSED
    settings.PAYMENT_GATEWAY = ""
    assert code_of(lambda: attempts.start_payment(booking.acknowledgement_id, now=now)) is Code.PAYMENTS_UNAVAILABLE
    timers.time_out_approval(booking.pk, now=due_at)
    assert code_of(lambda: attempts.start_payment(booking.acknowledgement_id, now=due_at)) is Code.STATE_REFUSES


def test_a_pending_request_cannot_be_paid(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    assert code_of(lambda: attempts.start_payment(booking.acknowledgement_id, now=now)) is Code.STATE_REFUSES


def test_a_paid_booking_says_that_nothing_is_left_to_pay(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    assert code_of(lambda: attempts.start_payment(booking.acknowledgement_id, now=now)) is Code.ALREADY_PAID


def test_money_that_went_back_does_not_make_a_sponsored_booking_paid(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    front_desk.sponsor(booking.pk, Corporate.objects.create(name="Acme").pk, actor="staff:desk", now=now)
    assert payments.record_report(scenarios.captured(payment), actor=GATEWAY, now=now) is ReportOutcome.RETURNED
    assert code_of(lambda: attempts.start_payment(booking.acknowledgement_id, now=now)) is Code.NOTHING_TO_PAY


def test_a_free_booking_says_that_nothing_is_to_be_paid(now: datetime) -> None:
    booking = scenarios.pending(now=now)
    approval = staff.Approval(scenarios.psychologist().pk, scenarios.slot_tomorrow(now), amount_paise=0)
    staff.approve(booking.pk, approval, actor="staff:desk", now=now)
    assert code_of(lambda: attempts.start_payment(booking.acknowledgement_id, now=now)) is Code.NOTHING_TO_PAY


def test_a_capture_confirms_once_however_often_it_is_reported(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    outcomes = [payments.record_report(scenarios.captured(payment), actor=GATEWAY, now=now) for _ in range(3)]
    assert outcomes == [ReportOutcome.CONFIRMED, ReportOutcome.UNCHANGED, ReportOutcome.UNCHANGED]
    booking = scenarios.again(booking)
    assert booking.state == State.CONFIRMED
    assert booking.slot_end is not None
    assert booking.due_at == booking.slot_end + timedelta(minutes=30)
    assert scenarios.notices_about(booking).count(Notice.BOOKING_CONFIRMED) == 1
    assert LedgerEntry.objects.filter(booking=booking, target=State.CONFIRMED).count() == 1


def test_an_order_that_is_captured_once_more_stays_the_firsts_and_the_second_sum_goes_back(now: datetime) -> None:
    _, payment = scenarios.paying(now=now)
    payments.record_report(scenarios.captured(payment), actor=GATEWAY, now=now)
    again = scenarios.captured(payment, capture_id="cap_again")
    outcomes = [payments.record_second_capture(again, now=now) for _ in range(2)]
    assert outcomes == [ReportOutcome.RETURNED, ReportOutcome.UNCHANGED]
    orders = {row.capture_id: row.gateway_order_id for row in Payment.objects.all()}
    assert orders == {f"cap_{payment.pk}": f"order_{payment.pk}", "cap_again": ""}
    assert [refund.payment.capture_id for refund in Refund.objects.all()] == ["cap_again"]


def test_reminders_are_owed_only_as_far_as_their_time_is_ahead(now: datetime) -> None:
    start = now + timedelta(hours=5)
    booking = scenarios.confirmed(now=now, at=start)
    reminders = Message.objects.filter(kind__in=[Notice.SESSION_APPROACHING, Notice.SESSION_IMMINENT])
    assert list(reminders.values_list("kind", "not_before")) == [(Notice.SESSION_IMMINENT, start - timedelta(hours=1))]
    assert booking.state == State.CONFIRMED


def test_a_declined_attempt_gives_time_for_another(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    pay_by = booking.pay_by
    assert payments.record_report(scenarios.declined(payment), actor=GATEWAY, now=now) is ReportOutcome.ENDED
    booking = scenarios.again(booking)
    assert (booking.state, booking.reason) == (State.APPROVED, Reason.ATTEMPT_FAILED)
    assert booking.pay_by == pay_by
    assert pay_by is not None
    assert booking.due_at == pay_by + timedelta(minutes=10)
    second = attempts.start_payment(booking.acknowledgement_id, now=now)
    assert second.reference != payment.reference
    assert payments.record_report(scenarios.captured(second), actor=GATEWAY, now=now) is ReportOutcome.CONFIRMED


def test_an_attempt_that_fails_after_the_time_to_pay_closes_the_booking(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    assert booking.pay_by is not None
    past = booking.pay_by + timedelta(minutes=10)
    payments.record_report(scenarios.declined(payment), actor=GATEWAY, now=past)
    booking = scenarios.again(booking)
    assert (booking.state, booking.reason) == (State.PAYMENT_FAILED, Reason.PAYMENT_TIMED_OUT)
    assert not SlotClaim.objects.exists()


def test_money_for_an_attempt_that_had_failed_still_confirms(now: datetime) -> None:
    _, payment = scenarios.paying(now=now)
    payments.record_report(scenarios.declined(payment), actor=GATEWAY, now=now)
    assert payments.record_report(scenarios.captured(payment), actor=GATEWAY, now=now) is ReportOutcome.CONFIRMED


def test_the_second_of_two_captures_goes_back(now: datetime) -> None:
    booking, first = scenarios.paying(now=now)
    payments.record_report(scenarios.declined(first), actor=GATEWAY, now=now)
    second = attempts.start_payment(booking.acknowledgement_id, now=now)
    assert payments.record_report(scenarios.captured(first), actor=GATEWAY, now=now) is ReportOutcome.CONFIRMED
    assert payments.record_report(scenarios.captured(second), actor=GATEWAY, now=now) is ReportOutcome.RETURNED
    assert scenarios.again(booking).state == State.CONFIRMED
    refund = Refund.objects.get()
    assert (refund.payment, refund.amount_paise) == (second, second.amount_paise)
    assert Message.objects.filter(kind=GatewayWork.MAKE_REFUND, subject_id=refund.pk).count() == 1


@pytest.mark.parametrize("wrong", [{"amount_paise": 1}, {"amount_paise": 999_999}, {"currency": "USD"}])
def test_a_wrong_amount_or_currency_confirms_nothing_and_goes_back(wrong: dict[str, object], now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    report = scenarios.captured(payment, **wrong)
    assert payments.record_report(report, actor=GATEWAY, now=now) is ReportOutcome.RETURNED
    after = scenarios.again(booking)
    assert (after.state, after.reason) == (State.APPROVED, Reason.ATTEMPT_FAILED)
    assert Refund.objects.get().amount_paise == report.amount_paise
    second = attempts.start_payment(booking.acknowledgement_id, now=now)
    assert payments.record_report(scenarios.captured(second), actor=GATEWAY, now=now) is ReportOutcome.CONFIRMED


def test_late_money_books_the_slot_again_when_it_is_free_and_ahead(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now, at=scenarios.slot_tomorrow(now) + timedelta(days=3))
    at = close_unpaid(booking, now)
    assert scenarios.again(booking).state in (State.CANCELLED, State.PAYMENT_FAILED)
    assert payments.record_report(scenarios.captured(payment), actor=GATEWAY, now=at) is ReportOutcome.REINSTATED
    booking = scenarios.again(booking)
    assert (booking.state, booking.reason) == (State.CONFIRMED, Reason.LATE_CAPTURE)
    assert SlotClaim.objects.filter(booking=booking).count() == 1
    assert booking.closed_at is None


def close_unpaid(booking: Booking, now: datetime) -> datetime:
    """Let the attempt go idle and the approval time out; returns when."""
    payment = Payment.objects.get(booking=booking, state=PaymentState.OPEN)
    idle_at = scenarios.again(booking).due_at
    assert idle_at is not None
    attempts.end_idle_attempt(payment.pk, now=idle_at)
    due_at = scenarios.again(booking).due_at
    assert due_at is not None
    timers.time_out_approval(booking.pk, now=due_at)
    return due_at


def test_late_money_goes_back_when_the_slot_is_gone(now: datetime) -> None:
    who, start = scenarios.psychologist(), scenarios.slot_tomorrow(now) + timedelta(days=3)
    booking, payment = scenarios.paying(now=now, who=who, at=start)
    at = close_unpaid(booking, now)
    scenarios.approved(RAVI, now=at, who=who, at=start)
    assert payments.record_report(scenarios.captured(payment), actor=GATEWAY, now=at) is ReportOutcome.RETURNED
    assert scenarios.again(booking).state == State.CANCELLED
    assert Refund.objects.get().payment == payment


def test_late_money_goes_back_when_the_visitor_has_another_booking(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now, at=scenarios.slot_tomorrow(now) + timedelta(days=3))
    at = close_unpaid(booking, now)
    scenarios.pending(now=at)
    assert payments.record_report(scenarios.captured(payment), actor=GATEWAY, now=at) is ReportOutcome.RETURNED


def test_late_money_goes_back_when_the_session_would_be_over(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    close_unpaid(booking, now)
    assert booking.slot_start is not None
    outcome = payments.record_report(scenarios.captured(payment), actor=GATEWAY, now=booking.slot_start)
    assert outcome is ReportOutcome.RETURNED


def test_a_report_for_an_unknown_payment_is_refused(now: datetime) -> None:
    _, payment = scenarios.paying(now=now)
    report = scenarios.captured(payment, reference="PAY-NOBODY")
    assert code_of(lambda: payments.record_report(report, actor=GATEWAY, now=now)) is Code.PAYMENT_UNKNOWN


def test_an_event_counts_once_however_often_and_in_whatever_order_it_comes(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    captured = Event("evt_2", EventKind.ORDER_CAPTURED, scenarios.captured(payment), None)
    failed = Event("evt_1", EventKind.ORDER_DECLINED, scenarios.declined(payment), None)
    outcomes = [inbox.receive_event("sandbox", event, now=now) for event in (captured, failed, captured, failed)]
    assert outcomes == [
        ReportOutcome.CONFIRMED,
        ReportOutcome.UNCHANGED,
        ReportOutcome.UNCHANGED,
        ReportOutcome.UNCHANGED,
    ]
    assert InboxEvent.objects.count() == 2
    assert scenarios.again(booking).state == State.CONFIRMED


@pytest.mark.parametrize("early", [1, 0, -1])
def test_the_gateway_is_asked_from_the_deadline_on(early: int, now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    assert booking.due_at is not None
    attempts.ask_after_attempt(booking.pk, now=booking.due_at - timedelta(seconds=early))
    asked = Message.objects.filter(kind=GatewayWork.ASK_GATEWAY, subject_id=payment.pk).count()
    assert asked == (0 if early > 0 else 1)
    assert scenarios.again(booking).state == State.PAYMENT_PENDING


def test_an_unreachable_gateway_is_asked_every_minute_and_then_the_attempt_is_closed(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    assert booking.due_at is not None
    for second in (0, 1, 59, 60, 61, 120):
        attempts.ask_after_attempt(booking.pk, now=booking.due_at + timedelta(seconds=second))
    assert Message.objects.filter(kind=GatewayWork.ASK_GATEWAY).count() == 3
    attempts.ask_after_attempt(booking.pk, now=booking.due_at + policy.GATEWAY_ASK_FOR)
    assert scenarios.again(booking).state == State.APPROVED
    assert Payment.objects.get(pk=payment.pk).state == PaymentState.IDLE


def test_an_idle_attempt_returns_the_booking_before_pay_by_and_fails_it_after(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    assert booking.due_at is not None
    attempts.end_idle_attempt(payment.pk, now=booking.due_at - timedelta(seconds=1))
    assert scenarios.again(booking).state == State.PAYMENT_PENDING
    attempts.end_idle_attempt(payment.pk, now=booking.due_at)
    assert (scenarios.again(booking).state, scenarios.again(booking).reason) == (State.APPROVED, Reason.ATTEMPT_IDLE)
    assert booking.pay_by is not None
    second = attempts.start_payment(booking.acknowledgement_id, now=booking.pay_by)
    late = booking.pay_by + timedelta(minutes=10)
    attempts.end_idle_attempt(second.pk, now=late)
    assert scenarios.again(booking).state == State.PAYMENT_FAILED


def test_an_open_order_changes_nothing(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    report = scenarios.captured(payment, state=OrderState.OPEN, capture_id="")
    assert payments.record_report(report, actor=GATEWAY, now=now) is ReportOutcome.UNCHANGED
    assert scenarios.again(booking).state == State.PAYMENT_PENDING
