"""A booking that is paid by Razorpay's page and given back: our own worker and door, the real adapter, and the fake."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from backend.bookings.lifecycle import cancellation
from backend.bookings.lifecycle.refunds import GatewayWork
from backend.bookings.machine import State
from backend.outbox.models import Message, MessageState
from backend.payments.models import InboxEvent, Payment, PaymentState, Refund, RefundState
from tests.support import scenarios
from tests.support.benches.razorpay import RazorpayBench
from tests.support.fake_razorpay.server import ACCOUNT_ID, KEY_ID, KEY_SECRET, WEBHOOK_SECRET
from workers import payments

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only]
HOOK = "/api/hooks/payments/razorpay/"


@pytest.fixture
def now() -> datetime:
    """The real time: the fake has no other."""
    return timezone.now()


@pytest.fixture
def bench(settings: Any) -> Iterator[RazorpayBench]:
    made = RazorpayBench(Path())
    settings.PAYMENT_GATEWAY, settings.RAZORPAY_URL, settings.RAZORPAY_ACCOUNT_ID = (
        "razorpay",
        made.relay.url,
        ACCOUNT_ID,
    )
    settings.RAZORPAY_KEY_ID, settings.RAZORPAY_KEY_SECRET = KEY_ID, KEY_SECRET
    settings.RAZORPAY_WEBHOOK_SECRET, settings.RAZORPAY_WEBHOOK_SECRET_PREVIOUS = WEBHOOK_SECRET, ""
    yield made
    made.stop()


def work(kind: GatewayWork, subject_id: int) -> MessageState:
    done = payments.perform(Message(kind=kind, subject_id=subject_id))
    assert isinstance(done, MessageState)
    return done


def deliver(bench: RazorpayBench) -> list[str]:
    """Every event so far, twice, the newest first: what became of each."""
    outcomes = []
    for body, headers in [*reversed(bench.deliveries()), *bench.deliveries()]:
        given = {name: value for name, value in headers.items() if name != "Content-Type"}
        answer = Browser().post(HOOK, body, content_type="application/json", headers=given)
        assert answer.status_code == 200, answer.content
        outcomes.append(answer.json()["outcome"])
    return outcomes


def test_a_booking_is_confirmed_once_and_given_back_once_whatever_order_its_events_come_in(
    bench: RazorpayBench, now: datetime
) -> None:
    booking, payment = scenarios.paying(now=now)
    assert work(GatewayWork.ENSURE_ORDER, payment.pk) is MessageState.DONE
    bench.decline(payment.reference)
    assert bench.pay(payment.reference)
    assert deliver(bench).count("confirmed") == 1
    assert scenarios.again(booking).state == State.CONFIRMED
    paid = Payment.objects.get(pk=payment.pk)
    assert (paid.state, paid.captured_paise, paid.paid_by) == (PaymentState.CAPTURED, payment.amount_paise, "upi")
    assert not InboxEvent.objects.filter(result="quarantined").exists()
    cancellation.cancel_by_staff(
        booking.pk,
        note_to_visitor="",
        refund=cancellation.RefundChoice.FULL,
        refund_reason="",
        actor="staff:desk",
        now=timezone.now(),
    )
    refund = Refund.objects.get(payment=payment)
    work(GatewayWork.MAKE_REFUND, refund.pk)
    deliver(bench)
    assert Refund.objects.get(pk=refund.pk).state == RefundState.DONE
    assert len(bench.fake.books.refunds) == 1
    assert not InboxEvent.objects.filter(result="quarantined").exists()
    sent = "\n".join(bench.fake.sent).lower()
    assert [word for word in ("asha", "counsel", "psych", "therap", "meera", "@") if word in sent] == []
