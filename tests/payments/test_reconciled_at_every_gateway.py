"""Our books against each gateway's own, by the real adapter: what no event told of is found within one round."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine

from backend.bookings.lifecycle import refunds
from backend.bookings.lifecycle.refunds import GatewayWork
from backend.bookings.machine import State
from backend.outbox.attempts import Snooze
from backend.outbox.models import Message, MessageState
from backend.payments.gateway import RefundOrder
from backend.payments.models import InboxEvent, Payment, Refund, RefundState
from tests.support import scenarios
from tests.support.benches.bench import Bench
from workers import payments, timers

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "asked_by_us")]


def look(clock: time_machine.Traveller, at: datetime) -> None:
    """One round."""
    clock.move_to(at, tick=False)
    timers.reconcile()
    message = Message.objects.filter(kind=GatewayWork.RECONCILE).latest("pk")
    while isinstance(answer := payments.perform(message), Snooze):
        assert answer.until <= at
    assert answer is MessageState.DONE


def told() -> list[str]:
    return list(InboxEvent.objects.filter(result="quarantined").values_list("why", flat=True))


def test_money_that_no_event_told_of_is_booked_and_what_went_back_is_noted_or_told(
    bench: Bench, now: datetime, clock: time_machine.Traveller
) -> None:
    booking, payment = scenarios.paying(now=now)
    payments.perform(Message.objects.get(kind=GatewayWork.ENSURE_ORDER))
    assert bench.pay(payment.reference)
    look(clock, now + timedelta(minutes=2))
    payment = Payment.objects.get(pk=payment.pk)
    assert scenarios.again(booking).state == State.CONFIRMED
    assert (payment.captured_paise, told()) == (150_000, [])

    bench.hold_refunds(payment.reference)
    refund = refunds.grant_refund(booking.pk, 50_000, actor="staff:desk", now=now)
    assert isinstance(payments.perform(Message.objects.get(kind=GatewayWork.MAKE_REFUND)), Snooze)
    bench.finish_refunds()
    look(clock, now + timedelta(hours=2))
    refund.refresh_from_db()
    assert (refund.state, told()) == (RefundState.DONE, [])

    strange = RefundOrder("REF-OF-SOMEBODY-ELSE", payment.reference, 10_000, "INR", payment.capture_id)
    bench.gateway.ensure_refund(strange)
    bench.finish_refunds()
    for hours in (4, 6):
        look(clock, now + timedelta(hours=hours))
    [why] = told()
    assert why.startswith("given back at the gateway alone")
    assert Refund.objects.count() == 1
