"""A booking's money at every gateway: asked for by the worker, told by webhooks in any order, and given back."""

from __future__ import annotations

import random
from datetime import datetime

import pytest
from django.test import Client

from backend.bookings.lifecycle import cancellation
from backend.bookings.lifecycle.refunds import GatewayWork
from backend.bookings.machine import State
from backend.outbox.models import Message, MessageState
from backend.payments.models import InboxEvent, PageState, Payment, Refund, RefundState
from tests.support import scenarios
from tests.support.benches.bench import Bench
from workers import payments

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "asked_by_us")]


def work(kind: GatewayWork) -> None:
    """What is owed of this kind is done."""
    for message in Message.objects.filter(kind=kind):
        assert payments.perform(message) is MessageState.DONE


def tell(bench: Bench) -> None:
    """Each webhook comes three times, in an order of its own."""
    told = bench.deliveries() * 3
    random.Random(7).shuffle(told)
    for body, headers in told:
        answer = Client().post(
            f"/api/hooks/payments/{bench.name}/", body, content_type="application/json", headers=dict(headers)
        )
        assert answer.status_code == 200, answer.content
    work(GatewayWork.LOOK_AT_ORDER)


def test_a_booking_is_paid_once_and_given_back_once(bench: Bench, now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    work(GatewayWork.ENSURE_ORDER)
    payment = Payment.objects.get(pk=payment.pk)
    assert payment.page_state == (PageState.OPEN if bench.gateway.has_pages else PageState.NONE)
    assert bench.pay(payment.reference)
    tell(bench)
    payment = Payment.objects.get(pk=payment.pk)
    assert scenarios.again(booking).state == State.CONFIRMED
    assert (payment.captured_paise, payment.is_unexpected) == (payment.amount_paise, False)
    cancellation.cancel_by_staff(
        booking.pk,
        note_to_visitor="",
        refund=cancellation.RefundChoice.FULL,
        refund_reason="",
        actor="staff:desk",
        now=now,
    )
    work(GatewayWork.MAKE_REFUND)
    bench.finish_refunds()
    tell(bench)
    assert [refund.state for refund in Refund.objects.all()] == [RefundState.DONE]
    (made,) = bench.gateway.fetch_refunds(payment.reference, payment.gateway_order_id)
    assert made.amount_paise == payment.amount_paise
    assert not InboxEvent.objects.filter(applied_at=None).exists()
    assert list(InboxEvent.objects.filter(result="quarantined")) == []
