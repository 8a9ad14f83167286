"""Money through the staff API: taken at the desk, by a sponsor, and given back."""

from __future__ import annotations

from datetime import datetime

import pytest

from backend.bookings.lifecycle import desk_money, refunds
from backend.bookings.machine import State
from backend.bookings.notices import Notice
from backend.payments.gateway import RefundOrderState, RefundReport
from backend.payments.models import Payment, PaymentState, Refund, RefundState
from backend.people.models import Corporate
from tests.support import api, scenarios
from tests.support.scenarios import RAVI
from tests.support.staff_api import (
    Desk,
)

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db, pytest.mark.usefixtures("clock", "sandbox_payments")]


def test_money_at_the_desk_confirms_once(staff: Desk, now: datetime) -> None:
    booking = scenarios.approved(now=now)
    assert api.done(staff.act(booking, "desk-payment"))["status"] == State.CONFIRMED
    api.error(staff.act(booking, "desk-payment"), 409, "already_paid")
    assert Payment.objects.count() == 1


def test_a_payment_noted_by_mistake_is_voided_and_the_session_is_to_be_paid_again(staff: Desk, now: datetime) -> None:
    booking = scenarios.approved(now=now)
    desk_money.record_desk_payment(booking.pk, actor="staff:desk", now=now)
    body = api.done(staff.act(booking, "void-desk-payment", {"why": "wrong_booking"}))
    assert body["status"] == State.APPROVED
    assert Payment.objects.get().state == PaymentState.VOIDED


def test_a_sponsor_pays(staff: Desk, now: datetime) -> None:
    acme = Corporate.objects.create(name="Acme")
    booking = scenarios.approved(now=now)
    refused = api.error(staff.act(booking, "sponsor", {"corporate_id": 999}), 400, "sponsor_unknown")
    assert set(refused["errors"]) == {"corporate_id"}
    api.error(staff.act(booking, "sponsor", {}), 400, "invalid")
    body = api.done(staff.act(booking, "sponsor", {"corporate_id": acme.pk}))
    assert (body["status"], body["corporate"]) == (State.CONFIRMED, {"id": acme.pk, "name": "Acme"})


def test_a_refund_is_a_part_then_all_that_is_left_then_refused(staff: Desk, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    api.done(staff.act(booking, "refund", {"amount": "1000.00"}))
    for amount in ("500.01", "0.00"):
        api.error(staff.act(booking, "refund", {"amount": amount}), 409, "refund_exceeds_capture")
    api.error(staff.act(booking, "refund", {"amount": "-5.00"}), 400, "invalid")
    api.done(staff.act(booking, "refund"))
    api.error(staff.act(booking, "refund"), 409, "refund_exceeds_capture")
    assert sorted(Refund.objects.values_list("amount_paise", flat=True)) == [50_000, 100_000]


def test_a_refund_that_was_handed_out_is_recorded_once(staff: Desk, now: datetime) -> None:
    booking = scenarios.approved(now=now)
    desk_money.record_desk_payment(booking.pk, actor="staff:desk", now=now)
    api.done(staff.act(booking, "refund"))
    reference = {"refund_reference": Refund.objects.get().reference}
    for _ in range(2):
        api.done(staff.act(booking, "refund-made", reference))
    assert Refund.objects.get().state == RefundState.DONE
    assert scenarios.notices_about(booking).count(Notice.REFUND_MADE) == 1


def test_a_refund_that_the_gateway_refused_is_settled_by_hand(staff: Desk, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refund = refunds.grant_refund(booking.pk, None, actor="staff:desk", now=now)
    refunds.record_refund(
        refund.pk, RefundReport(refund.reference, "", RefundOrderState.REFUSED, refund.amount_paise), now=now
    )
    api.done(staff.act(booking, "refund-made", {"refund_reference": refund.reference}))
    assert Refund.objects.get().state == RefundState.DONE


def test_a_refund_that_is_on_its_way_at_the_gateway_is_not_settled_by_hand(staff: Desk, now: datetime) -> None:
    booking = scenarios.confirmed(now=now)
    refund = refunds.grant_refund(booking.pk, None, actor="staff:desk", now=now)
    sent = {"refund_reference": refund.reference}
    api.error(staff.act(booking, "refund-made", sent), 409, "refund_at_gateway")
    assert Refund.objects.get().state == RefundState.QUEUED


def test_a_refund_of_another_booking_or_none_is_404(staff: Desk, now: datetime) -> None:
    other = scenarios.confirmed(RAVI, now=now)
    refund = refunds.grant_refund(other.pk, None, actor="staff:desk", now=now)
    booking = scenarios.pending(now=now)
    for reference in (refund.reference, "REF-000"):
        sent = {"refund_reference": reference}
        api.error(staff.act(booking, "refund-made", sent), 404, "refund_unknown")
    api.error(staff.act(booking, "refund-made", {}), 400, "invalid")
    assert Refund.objects.get().state == RefundState.QUEUED
