"""A gateway's own payments, paid out, fetched through its adapter and compared with ours, to the paisa."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from backend.bookings.machine import State
from backend.payments import settlements
from backend.payments.gateway import Order, RefundOrder, captures_since
from backend.payments.models import Payment, Refund, RefundState
from backend.reports.accounts import Verdict, movements, statement
from tests.support import factories
from tests.support.benches.razorpay import RazorpayBench

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite_only]
DAY = timedelta(days=1)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[RazorpayBench]:
    made = RazorpayBench(tmp_path)
    yield made
    made.stop()


def paid(bench: RazorpayBench, number: int) -> Payment:
    """A payment as our books have it, and as the gateway's have it."""
    now, paise = timezone.now(), 50_000 + 7 * number
    booking = factories.make_booking(State.CANCELLED, now=now, email=f"v{number}@example.org", closed_at=now)
    payment = factories.make_payment(
        booking, now=now, gateway="razorpay", amount_paise=paise, captured_paise=paise, reference=f"PAY-{number:020d}"
    )
    bench.gateway.ensure_order(Order(payment.reference, paise, "INR", description="Booking"))
    assert bench.pay(payment.reference)
    return payment


def give_back(bench: RazorpayBench, payment: Payment) -> None:
    now, paise = timezone.now(), payment.captured_paise // 3
    refund = factories.make_refund(payment, now=now, amount_paise=paise, state=RefundState.DONE, settled_at=now)
    report = bench.gateway.ensure_refund(
        RefundOrder(refund.reference, payment.reference, paise, "INR", payment.capture_id)
    )
    Refund.objects.filter(pk=refund.pk).update(gateway_refund_id=report.gateway_refund_id)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("payments", [30, pytest.param(5_000, marks=pytest.mark.slow)])
def test_the_statement_equals_what_the_gateway_paid_out(bench: RazorpayBench, payments: int) -> None:
    began = timezone.now() - DAY
    by_reference = {payment.reference: payment for payment in (paid(bench, number) for number in range(payments))}
    for report in captures_since(bench.gateway, began):
        payment = by_reference[report.reference]
        payment.capture_id, payment.fee_paise = report.capture_id, report.capture.fee_paise
        payment.save(update_fields=["capture_id", "fee_paise"])
    for payment in list(by_reference.values())[::3]:
        give_back(bench, payment)
    settlements.fetch_day(bench.gateway, bench.settle())
    span = (began, timezone.now() + DAY)
    found = statement(*span, now=span[1])
    assert {item.verdict for item in found.items} == {Verdict.AGREES}
    assert len(found.items) == payments + len(range(0, payments, 3))
    ours = movements(*span)
    assert found.ours_paise == found.theirs_paise == sum(one.paise for one in ours)
    assert found.fee_paise == sum(one.fee_paise or 0 for one in ours)
