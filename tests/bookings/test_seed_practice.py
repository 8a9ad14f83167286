"""The sample of bookings that a practice to be looked at begins with."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Q

from backend.bookings.machine import State
from backend.bookings.models import Booking, Outcome
from backend.outbox.models import Message, MessageState
from backend.payments.models import Payment, PaymentMethod, PaymentState, Refund, RefundState
from backend.people.models import TimeOff
from tests.support.gateway import SECRET, Sandbox

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db]
MARKUP = Q(full_name__contains="<script>") | Q(full_name__contains="<img")


def test_a_sample_has_every_state_and_every_trouble(settings) -> None:
    settings.DEBUG = True
    call_command("seed_practice", bookings=20, verbosity=0)
    assert Booking.objects.count() == 20
    assert set(Booking.objects.values_list("state", flat=True)) == set(State)
    assert Message.objects.filter(state=MessageState.DEAD).exists()
    assert Refund.objects.filter(state=RefundState.REFUSED).exists()
    assert TimeOff.objects.exists()
    assert Booking.objects.filter(state=State.COMPLETED, outcome=Outcome.UNRECORDED).exists()
    assert Booking.objects.filter(cancellation_requested_at__isnull=False).exists()
    assert Booking.objects.filter(state=State.PENDING, preferred_slot_start__isnull=False).exists()
    assert not Booking.objects.filter(MARKUP).exists()
    assert all(booking.ledger.count() == booking.ledger_sequence for booking in Booking.objects.all())


def test_the_payments_of_a_sample_exist_at_the_gateway(settings, sandbox: Sandbox) -> None:
    settings.DEBUG, settings.SANDBOX_URL, settings.SANDBOX_SECRET = True, sandbox.url, SECRET
    call_command("seed_practice", bookings=10, verbosity=0)
    captured = Payment.objects.filter(method=PaymentMethod.ONLINE, state=PaymentState.CAPTURED)
    assert captured
    for payment in captured:
        known = sandbox.gateway.fetch_order(payment.reference)
        assert known is not None
        assert (known.gateway_order_id, known.capture_id) == (payment.gateway_order_id, payment.capture_id)


def test_the_sample_of_tests_has_visitors_who_write_markup(settings) -> None:
    settings.DEBUG = True
    call_command("seed_practice", bookings=7, hostile=True, verbosity=0)
    assert Booking.objects.filter(MARKUP).exists()


def test_a_real_practice_gets_no_bookings_that_nobody_asked_for(settings) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError):
        call_command("seed_practice", bookings=1, verbosity=0)
    assert not Booking.objects.exists()
