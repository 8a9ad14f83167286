"""What was owed about money that goes back, and to a psychologist, before something else happened."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from backend.bookings.lifecycle import attempts, desk_money, payments, refunds
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.notifications import delivery
from backend.outbox.models import Message
from backend.payments.gateway import RefundOrderState, RefundReport
from backend.payments.models import Refund
from tests.support import scenarios
from tests.support.mails import frozen
from tests.support.overtaking import GATEWAY, STAFF, cancelled, is_true, mail, moved, timed_out

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]


# -- money that goes back ---------------------------------------------------------------------------------------------


def answer(refund: Refund, state: RefundOrderState) -> RefundReport:
    return RefundReport(refund.reference, "rfnd_1", state, refund.amount_paise)


def test_a_refund_that_was_made_is_no_longer_on_its_way(now: datetime) -> None:
    booking = cancelled(scenarios.confirmed(now=now), now=now)
    message = mail(booking, Notice.REFUND_QUEUED)
    assert is_true(message, now)
    refund = Refund.objects.get()
    refunds.record_refund(refund.pk, answer(refund, RefundOrderState.DONE), now=now)
    assert not is_true(message, now)
    assert is_true(mail(booking, Notice.REFUND_MADE), now)
    assert is_true(mail(booking, Notice.BOOKING_CANCELLED), now)


def test_a_refund_that_the_gateway_refused_is_not_said_again_to_be_on_its_way(now: datetime) -> None:
    booking = cancelled(scenarios.confirmed(now=now), now=now)
    fresh = mail(booking, Notice.REFUND_QUEUED)
    said = frozen(Message.objects.get(pk=fresh.pk), now=now)
    refund = Refund.objects.get()
    refunds.record_refund(refund.pk, answer(refund, RefundOrderState.REFUSED), now=now)
    assert delivery.prepare(said, now=now) is None
    assert delivery.prepare(fresh, now=now) is None
    facts = delivery.prepare(mail(booking, Notice.REFUND_QUEUED), now=now)
    assert facts is not None
    assert facts["refund_way"] == "by_hand"


@pytest.mark.parametrize("at_desk", [True, False])
def test_staff_are_not_sent_after_a_refund_that_was_settled(at_desk: bool, now: datetime) -> None:
    booking = scenarios.approved(now=now)
    if at_desk:
        desk_money.record_desk_payment(booking.pk, actor=STAFF, now=now)
        cancelled(booking, now=now)
        refund = Refund.objects.get()
    else:
        payment = attempts.start_payment(booking.acknowledgement_id, now=now)
        payments.record_report(scenarios.captured(payment), actor=GATEWAY, now=now)
        cancelled(booking, now=now)
        refund = Refund.objects.get()
        refunds.record_refund(refund.pk, answer(refund, RefundOrderState.REFUSED), now=now)
    message = mail(booking, Notice.STAFF_REFUND_DUE)
    assert is_true(message, now)
    refunds.record_refund_made(refund.pk, actor=STAFF, now=now)
    assert not is_true(message, now)


def test_a_refund_granted_later_does_not_change_what_the_cancellation_said(now: datetime) -> None:
    booking = cancelled(scenarios.confirmed(now=now), now=now, refund=RefundChoice.NONE)
    message = frozen(mail(booking, Notice.BOOKING_CANCELLED), now=now)
    refunds.grant_refund(booking.pk, 50_000, actor=STAFF, now=now + timedelta(minutes=5))
    assert is_true(message, now)
    assert is_true(mail(booking, Notice.REFUND_QUEUED), now)


def test_a_payment_that_goes_back_is_told_whatever_happens_meanwhile(now: datetime) -> None:
    booking, payment, later = timed_out(now=now)
    other = scenarios.pending(scenarios.ASHA, now=later)
    payments.record_report(scenarios.captured(payment), actor=GATEWAY, now=later)
    message, desks = mail(booking, Notice.PAYMENT_RETURNED), mail(booking, Notice.STAFF_UNEXPECTED_MONEY)
    assert is_true(message, later)
    refund = Refund.objects.get()
    refunds.record_refund(refund.pk, answer(refund, RefundOrderState.DONE), now=later)
    cancelled(other, now=later)
    assert is_true(message, later)
    assert is_true(desks, later)
    assert is_true(mail(booking, Notice.REFUND_MADE), later)


# -- the psychologist -------------------------------------------------------------------------------------------------


def told_to(booking: Booking, notice: Notice, address: str) -> Message:
    return Message.objects.filter(booking_id=booking.pk, kind=notice, recipient=address).latest("pk")


def test_a_session_that_goes_to_a_colleague_is_told_to_both(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    ravi = scenarios.psychologist("Dr. Ravi Nair", email="nair@example.org")
    old = mail(booking, Notice.PSYCHOLOGIST_SESSION_CONFIRMED)
    moved(booking, now=now, to=ravi.pk)
    gone = told_to(booking, Notice.PSYCHOLOGIST_SESSION_CANCELLED, "meera@example.org")
    assert not is_true(old, now)
    assert is_true(gone, now)
    assert is_true(told_to(booking, Notice.PSYCHOLOGIST_SESSION_CONFIRMED, "nair@example.org"), now)


def test_a_session_that_came_back_is_not_said_to_be_a_colleagues(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    meera = booking.psychologist_id
    ravi = scenarios.psychologist("Dr. Ravi Nair", email="nair@example.org")
    moved(booking, now=now, to=ravi.pk)
    gone = told_to(booking, Notice.PSYCHOLOGIST_SESSION_CANCELLED, "meera@example.org")
    moved(scenarios.again(booking), now=now, to=meera)
    assert not is_true(gone, now)
    assert is_true(told_to(booking, Notice.PSYCHOLOGIST_SESSION_CANCELLED, "nair@example.org"), now)
    assert is_true(told_to(booking, Notice.PSYCHOLOGIST_SESSION_CONFIRMED, "meera@example.org"), now)
