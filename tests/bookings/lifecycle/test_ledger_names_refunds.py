"""The row that causes a refund names it: what else went back at the same instant is not taken for it."""

from __future__ import annotations

from datetime import datetime

import pytest

from backend.bookings import policy
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import refunds_named
from backend.bookings.lifecycle import cancellation, desk_money, payments, refunds, timers
from backend.bookings.lifecycle.cancellation import RefundChoice
from backend.bookings.models import Booking, LedgerEntry, Purpose
from backend.bookings.notices import Notice
from backend.core.errors import Refused
from backend.desk.result import describe_result
from backend.notifications import delivery
from backend.outbox.models import Message
from backend.payments.models import Refund, RefundState
from tests.support import scenarios

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _sandbox(settings) -> None:
    settings.PAYMENT_GATEWAY = "sandbox"


def call_off(booking: Booking, refund: RefundChoice, *, now: datetime) -> None:
    why = "" if refund is RefundChoice.FULL else "Agreed by telephone."
    cancellation.cancel_by_staff(
        booking.pk, note_to_visitor="", refund=refund, refund_reason=why, actor="staff:desk", now=now
    )


def paid_twice(*, now: datetime) -> Booking:
    """At the desk, and a moment later through the gateway, which goes back by itself."""
    booking, payment = scenarios.paying(now=now)
    desk_money.record_desk_payment(booking.pk, actor="staff:desk", now=now)
    payments.record_report(scenarios.captured(payment), actor="gateway:sandbox", now=now)
    return scenarios.again(booking)


def said(booking: Booking, notice: Notice, *, now: datetime) -> list[object]:
    """The sum that goes back, by each mail of this kind; None for one that is not true."""
    mails = Message.objects.filter(booking_id=booking.pk, kind=notice).order_by("pk")
    return [context and context["refund"] for context in (delivery.prepare(mail, now=now) for mail in mails)]


def named(booking: Booking, intent: Intent) -> Refund:
    return Refund.objects.get(pk__in=refunds_named(LedgerEntry.objects.get(booking=booking, intent=intent)))


def test_a_refund_granted_in_the_same_instant_is_not_the_cancellations(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    call_off(booking, RefundChoice.NONE, now=now)
    refunds.grant_refund(booking.pk, 50_000, actor="staff:desk", now=now)
    assert said(booking, Notice.BOOKING_CANCELLED, now=now) == [""]
    assert said(booking, Notice.REFUND_QUEUED, now=now) == ["₹500.00"]


def test_of_two_refunds_in_one_instant_each_mail_names_its_own(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refunds.grant_refund(booking.pk, 50_000, actor="staff:desk", now=now)
    call_off(booking, RefundChoice.FULL, now=now)
    assert said(booking, Notice.BOOKING_CANCELLED, now=now) == ["₹1,000.00"]
    assert said(booking, Notice.REFUND_QUEUED, now=now) == ["₹500.00", "₹1,000.00"]
    assert named(booking, Intent.GRANT_REFUND).amount_paise == 50_000
    assert named(booking, Intent.CANCEL).amount_paise == 100_000


def test_money_that_nobody_expected_is_not_told_as_what_a_cancellation_gives_back(now: datetime) -> None:
    booking = paid_twice(now=now)
    call_off(booking, RefundChoice.NONE, now=now)
    assert "₹" not in describe_result(scenarios.again(booking))
    assert said(booking, Notice.BOOKING_CANCELLED, now=now) == [""]


def test_the_desk_reads_which_refund_its_own_decision_caused(now: datetime) -> None:
    booking = paid_twice(now=now)
    refunds.grant_refund(booking.pk, 20_000, actor="staff:desk", now=now)
    assert "₹200.00 is to be handed out at the desk" in describe_result(scenarios.again(booking))


def test_money_that_goes_back_by_itself_is_named_by_the_row_of_its_capture(now: datetime) -> None:
    booking = paid_twice(now=now)
    call_off(booking, RefundChoice.FULL, now=now)
    assert named(booking, Intent.RECORD_UNEXPECTED_CAPTURE).payment.is_unexpected
    assert not named(booking, Intent.CANCEL).payment.is_unexpected


def test_a_cancellation_proved_by_the_visitor_names_its_refund(now: datetime, monkeypatch) -> None:
    monkeypatch.setattr(policy, "REFUND_ON_VISITOR_CANCELLATION", "full")
    booking = scenarios.confirmed(now=now)
    cancellation.request_cancellation(booking.acknowledgement_id, now=now)
    token = scenarios.token_of(booking, Notice.CANCELLATION_REQUESTED, Purpose.CANCEL)
    cancellation.confirm_cancellation(token, now=now)
    assert named(booking, Intent.CANCEL).amount_paise == 150_000


def test_a_cancellation_that_is_refused_owes_nothing(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    assert booking.due_at is not None
    timers.complete_session(booking.pk, now=booking.due_at)
    with pytest.raises(Refused, match="state_refuses"):
        call_off(booking, RefundChoice.FULL, now=booking.due_at)
    assert not Refund.objects.exists()
    assert not Message.objects.filter(kind=refunds.GatewayWork.MAKE_REFUND).exists()


def test_the_desk_is_not_sent_to_hand_out_what_was_handed_out(now: datetime) -> None:
    booking = paid_twice(now=now)
    refund = refunds.grant_refund(booking.pk, 20_000, actor="staff:desk", now=now)
    refunds.record_refund_made(refund.pk, actor="staff:desk", now=now)
    assert Refund.objects.get(pk=refund.pk).state == RefundState.DONE
    assert "₹" not in describe_result(scenarios.again(booking))
