"""Webhooks: kept before anything is done about them, and applied once, by whoever comes first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from backend.bookings import queries
from backend.bookings.lifecycle import inbox, payments, quarantine
from backend.bookings.lifecycle.payments import ReportOutcome
from backend.bookings.lifecycle.refunds import GatewayWork
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.core.outgoing.fields import Fields
from backend.outbox.models import Message
from backend.payments.gateway import (
    ID_LONGEST,
    Capture,
    Event,
    EventKind,
    LastTry,
    OrderReport,
    OrderState,
    RefundOrderState,
    RefundReport,
)
from backend.payments.models import InboxEvent, Payment, Refund
from backend.payments.written import read_event, write
from tests.support import scenarios
from workers import timers

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]
SECOND = timedelta(seconds=1)


def paid(payment: Payment, event_id: str = "evt_1") -> Event:
    return Event(event_id, EventKind.ORDER_CAPTURED, scenarios.captured(payment), None)


def broken(*_: object, **__: object) -> None:
    raise DatabaseError("the row is held")


def test_an_event_that_cannot_be_applied_now_is_kept_and_the_sweep_applies_it_once(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking, payment = scenarios.paying(now=now)
    with monkeypatch.context() as patched:
        patched.setattr(inbox, "apply_report", broken)
        assert inbox.receive_event("sandbox", paid(payment), now=now) is ReportOutcome.KEPT
        assert inbox.receive_event("sandbox", paid(payment), now=now) is ReportOutcome.KEPT
    kept = InboxEvent.objects.get()
    assert (kept.applied_at, scenarios.again(booking).state) == (None, State.PAYMENT_PENDING)
    assert not queries.events_to_apply(now=now + SECOND)  # the door may be about to
    assert list(queries.events_to_apply(now=now + 2 * SECOND)) == [kept]
    timers.apply_events()
    assert scenarios.again(booking).state == State.CONFIRMED
    assert inbox.apply_event(kept.pk, now=now) is ReportOutcome.UNCHANGED
    assert not queries.events_to_apply(now=now + timedelta(hours=1))


def test_a_delivery_after_one_that_was_cut_off_has_the_effect(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    inbox.keep_event("sandbox", paid(payment), now=now)  # and then the process was killed
    assert inbox.receive_event("sandbox", paid(payment), now=now) is ReportOutcome.CONFIRMED
    assert scenarios.again(booking).state == State.CONFIRMED


def test_what_happened_to_an_order_is_asked_of_the_gateway_once(now: datetime) -> None:
    _, payment = scenarios.paying(now=now)
    event = Event("evt_1", EventKind.ORDER_TOUCHED, None, None, payment.reference)
    outcomes = [inbox.receive_event("sandbox", event, now=now) for _ in range(2)]
    assert outcomes == [ReportOutcome.LOOKED_INTO, ReportOutcome.UNCHANGED]
    assert Message.objects.get(kind=GatewayWork.LOOK_AT_ORDER).subject_id == payment.pk


@pytest.mark.postgres_only  # which holds columns to their length
def test_ids_as_long_as_a_gateway_may_make_them_are_kept_and_looked_into(now: datetime) -> None:
    _, payment = scenarios.paying(now=now)
    longest = Event("e" * ID_LONGEST, EventKind.ORDER_TOUCHED, None, None, payment.reference)
    assert inbox.receive_event("sandbox", longest, now=now) is ReportOutcome.LOOKED_INTO
    assert Message.objects.filter(kind=GatewayWork.LOOK_AT_ORDER).exists()
    ids = {"gateway_order_id": "o" * ID_LONGEST, "capture_id": "c" * ID_LONGEST}
    assert (
        payments.record_report(scenarios.captured(payment, **ids), actor="gateway", now=now) is ReportOutcome.CONFIRMED
    )
    other = scenarios.captured(payment, gateway_order_id="p" * ID_LONGEST, capture_id="d" * ID_LONGEST)
    assert payments.record_report(other, actor="gateway", now=now) is ReportOutcome.QUARANTINED
    quarantine.keep("sandbox", EventKind.OTHER, "r" * ID_LONGEST, "nobody's", now=now)
    assert InboxEvent.objects.filter(result="quarantined").count() == 2


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (Event("evt_1", EventKind.ORDER_TOUCHED, None, None, "PAY-NOBODY"), "no payment of ours"),
        (
            Event("evt_1", EventKind.REFUND_DONE, None, RefundReport("", "rfnd_1", RefundOrderState.DONE, 100)),
            "no refund of ours",
        ),
        (Event("evt_1", EventKind.UNREADABLE, None, None), "cannot be printed"),
    ],
    ids=["order", "refund", "unreadable"],
)
def test_a_genuine_event_about_nothing_of_ours_is_kept_and_changes_nothing(
    event: Event, why: str, now: datetime
) -> None:
    outcomes = [inbox.receive_event("sandbox", event, now=now) for _ in range(2)]
    assert outcomes == [ReportOutcome.QUARANTINED, ReportOutcome.UNCHANGED]
    assert why in InboxEvent.objects.get().why
    assert not Refund.objects.exists()


def test_what_the_inbox_keeps_is_what_was_read(now: datetime) -> None:
    capture = Capture("upi", fee_paise=236, tax_paise=36, captured_at=now)
    report = OrderReport(
        "PAY-1", "plink_1", OrderState.CAPTURED, 100, "INR", "pay_1", "https://x", now, LastTry.PENDING, capture
    )
    refund = RefundReport("", "rfnd_1", RefundOrderState.REFUSED, 100)
    for event in (
        Event("evt_1", EventKind.ORDER_CAPTURED, report, None),
        Event("evt_2", EventKind.REFUND_REFUSED, None, refund),
        Event("evt_3", EventKind.ORDER_TOUCHED, None, None, "PAY-1"),
        Event("evt_4", EventKind.UNREADABLE, None, None),
        Event("evt_5", EventKind.OTHER, None, None),
    ):
        assert read_event(Fields(write(event))) == event


def test_a_capture_leaves_how_it_was_paid_and_what_it_cost(now: datetime) -> None:
    _, payment = scenarios.paying(now=now)
    report = scenarios.captured(payment, capture=Capture("card", fee_paise=3_540, tax_paise=540))
    payments.record_report(report, actor="gateway:sandbox", now=now)
    kept = Payment.objects.get()
    assert (kept.paid_by, kept.fee_paise, kept.tax_paise) == ("card", 3_540, 540)


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_the_door_does_not_wait_for_a_row_that_somebody_holds(now: datetime) -> None:
    booking, payment = scenarios.paying(now=now)
    with held(booking):
        assert inbox.receive_event("sandbox", paid(payment), now=now) is ReportOutcome.KEPT
    assert inbox.receive_event("sandbox", paid(payment), now=now) is ReportOutcome.CONFIRMED


@contextmanager
def held(booking: Booking) -> Iterator[None]:
    """Another transaction has the booking until the block ends."""
    is_held, is_over = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Booking.objects.select_for_update().get(pk=booking.pk)
            is_held.set()
            is_over.wait(20)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert is_held.wait(20)
        yield
    finally:
        is_over.set()
        holder.join()
