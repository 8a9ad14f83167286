"""What a gateway reports and fits no payment of ours confirms nothing, and is kept for people."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from backend.bookings.lifecycle import attempts, inbox, payments, refunds
from backend.bookings.lifecycle.payments import ReportOutcome
from backend.bookings.machine import State
from backend.core.errors import Permanent
from backend.payments.gateway import Event, EventKind, RefundOrderState, RefundReport
from backend.payments.models import InboxEvent, Payment, Refund, RefundState
from tests.support import scenarios
from tests.support.scenarios import RAVI

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sandbox_payments")]
GATEWAY = "gateway:sandbox"


def test_a_capture_with_another_payments_order_is_quarantined_and_confirms_nothing(now: datetime) -> None:
    booking, mine = scenarios.paying(now=now)
    _, other = scenarios.paying(RAVI, now=now, at=scenarios.slot_tomorrow(now, 15))
    attempts.note_order(other.pk, scenarios.captured(other), now=now)
    for number, noted in enumerate((False, True)):
        if noted:
            attempts.note_order(mine.pk, scenarios.captured(mine), now=now)
        report = scenarios.captured(mine, gateway_order_id=f"order_{other.pk}")
        event = Event(f"evt_{number}", EventKind.ORDER_CAPTURED, report, None)
        assert inbox.receive_event("sandbox", event, now=now) is ReportOutcome.QUARANTINED
        assert inbox.receive_event("sandbox", event, now=now) is ReportOutcome.UNCHANGED
    kept = InboxEvent.objects.filter(result=ReportOutcome.QUARANTINED)
    assert list(kept.values_list("payment_reference", flat=True)) == [mine.reference] * 2
    assert all(f"order_{other.pk}" in event.why for event in kept)
    nobodys = scenarios.captured(mine, gateway_order_id="order_of_nobody")
    assert payments.record_report(nobodys, actor=GATEWAY, now=now) is ReportOutcome.QUARANTINED
    assert scenarios.again(booking).state == State.PAYMENT_PENDING
    assert Payment.objects.get(pk=mine.pk).gateway_order_id == f"order_{mine.pk}"
    assert payments.record_report(scenarios.captured(mine), actor=GATEWAY, now=now) is ReportOutcome.CONFIRMED


def test_a_capture_that_paid_another_booking_is_quarantined(now: datetime) -> None:
    paid = Payment.objects.get(booking=scenarios.confirmed(now=now))
    booking, payment = scenarios.paying(RAVI, now=now, at=scenarios.slot_tomorrow(now, 15))
    report = scenarios.captured(payment, capture_id=paid.capture_id)
    for _ in range(2):
        assert payments.record_report(report, actor=GATEWAY, now=now) is ReportOutcome.QUARANTINED
    assert scenarios.again(booking).state == State.PAYMENT_PENDING
    assert InboxEvent.objects.get().why == f"the capture {paid.capture_id} is another payment's"


def test_a_second_capture_of_a_paid_order_is_quarantined(now: datetime) -> None:
    paid = Payment.objects.get(booking=scenarios.confirmed(now=now))
    report = scenarios.captured(paid, capture_id="cap_again")
    assert payments.record_report(report, actor=GATEWAY, now=now) is ReportOutcome.QUARANTINED
    assert Payment.objects.get().capture_id == paid.capture_id


def test_the_database_keeps_captures_and_orders_apart(now: datetime) -> None:
    paid = Payment.objects.get(booking=scenarios.confirmed(now=now))
    _, other = scenarios.paying(RAVI, now=now, at=scenarios.slot_tomorrow(now, 15))
    for ids in ({"capture_id": paid.capture_id}, {"gateway_order_id": paid.gateway_order_id}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Payment.objects.filter(pk=other.pk).update(**ids)
        Payment.objects.filter(pk=other.pk).update(gateway="another", **ids)
        Payment.objects.filter(pk=other.pk).update(capture_id="", gateway_order_id="", gateway="sandbox")


def test_an_order_that_is_another_payments_is_not_noted(now: datetime) -> None:
    _, first = scenarios.paying(now=now)
    _, second = scenarios.paying(RAVI, now=now, at=scenarios.slot_tomorrow(now, 15))
    for payment in (first, second):
        attempts.note_order(payment.pk, scenarios.captured(payment, gateway_order_id="order_same"), now=now)
    assert Payment.objects.get(pk=second.pk).gateway_order_id == ""


def test_an_event_that_cannot_be_read_is_kept_in_quarantine() -> None:
    event = Event("evt_odd", EventKind.UNREADABLE, None, None)
    now = datetime.now(tz=UTC)
    assert inbox.receive_event("sandbox", event, now=now) is ReportOutcome.QUARANTINED
    assert InboxEvent.objects.get().why


def test_a_refund_of_another_sum_or_another_id_is_quarantined(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refund = refunds.grant_refund(booking.pk, 50_000, actor="staff:desk", now=now)
    Refund.objects.filter(pk=refund.pk).update(gateway_refund_id="rfd_1")
    for number, said in enumerate((("rfd_1", 40_000), ("rfd_2", 50_000))):
        report = RefundReport(refund.reference, said[0], RefundOrderState.DONE, said[1])
        event = Event(f"evt_{number}", EventKind.REFUND_DONE, None, report)
        assert inbox.receive_event("sandbox", event, now=now) is ReportOutcome.QUARANTINED
        with pytest.raises(Permanent):
            refunds.record_refund(refund.pk, report, now=now)
    assert Refund.objects.get().state == RefundState.QUEUED


def test_a_refund_that_failed_after_it_was_made_is_for_staff_and_stays_made(now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refund = refunds.grant_refund(booking.pk, 50_000, actor="staff:desk", now=now)
    for number, state in enumerate((RefundOrderState.DONE, RefundOrderState.REFUSED, RefundOrderState.DONE)):
        kind = EventKind.REFUND_REFUSED if state is RefundOrderState.REFUSED else EventKind.REFUND_DONE
        event = Event(f"evt_{number}", kind, None, RefundReport(refund.reference, "rfd_1", state, 50_000))
        inbox.receive_event("sandbox", event, now=now)
    assert list(InboxEvent.objects.order_by("pk").values_list("result", flat=True)) == [
        ReportOutcome.REFUNDED,
        ReportOutcome.QUARANTINED,
        ReportOutcome.UNCHANGED,
    ]
    assert Refund.objects.get().state == RefundState.DONE
