"""Refunds that do not go straight, at every gateway: asked after for days, or refused and left to staff."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from backend.bookings.lifecycle import refunds
from backend.bookings.lifecycle.refunds import GatewayWork
from backend.bookings.payment_status import PaymentStatus, payment_status
from backend.core.errors import Permanent
from backend.outbox.attempts import Snooze
from backend.outbox.models import Message, MessageState
from backend.payments.models import Refund, RefundState
from tests.support import scenarios
from tests.support.benches.bench import Bench
from workers import payments

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "asked_by_us")]


def test_a_refund_that_pends_for_days_is_asked_after_and_is_no_dead_letter(
    bench: Bench, now: datetime, clock: time_machine.Traveller
) -> None:
    refund = granted(bench, now, bench.hold_refunds)
    message = Message.objects.get(kind=GatewayWork.MAKE_REFUND)
    for days in range(6):
        clock.move_to(now + timedelta(days=days), tick=False)
        answer = payments.perform(message)
        assert isinstance(answer, Snooze)
        assert answer.until > timezone.now()
    assert payment_status(scenarios.again(refund.payment.booking)) is PaymentStatus.REFUND_UNDER_WAY
    bench.finish_refunds()
    assert payments.perform(message) is MessageState.DONE
    assert payment_status(scenarios.again(refund.payment.booking)) is PaymentStatus.REFUNDED


def test_a_refund_that_is_refused_is_a_task_of_staff_with_the_gateways_reason(bench: Bench, now: datetime) -> None:
    refund = granted(bench, now, bench.refuse_refunds)
    message = Message.objects.get(kind=GatewayWork.MAKE_REFUND)
    with pytest.raises(Permanent):
        refused(bench, message)
    assert payment_status(scenarios.again(refund.payment.booking)) is PaymentStatus.REFUND_REFUSED
    refund.refresh_from_db()
    assert refund.state == RefundState.REFUSED
    assert bool(refund.refused_why) is (bench.name == "stripe"), "who says why is quoted"


def granted(bench: Bench, now: datetime, become: Callable[[str], None]) -> Refund:
    """All of a booking's money, owed back."""
    booking, payment = scenarios.paying(now=now)
    payments.perform(Message.objects.get(kind=GatewayWork.ENSURE_ORDER))
    assert bench.pay(payment.reference)
    report = bench.gateway.complete_order(payment.reference)
    payments.payments.record_report(report, actor="gateway", now=now)
    become(payment.reference)
    return refunds.grant_refund(booking.pk, None, actor="staff:desk", now=now)


def refused(bench: Bench, message: Message) -> None:
    """At once, or after it was taken."""
    if isinstance(payments.perform(message), Snooze):
        bench.finish_refunds()
        payments.perform(message)
