"""The last nets: what the database refuses even to code that forgot its locks and checks."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from backend.bookings.machine import State
from backend.bookings.models import Booking, SlotClaim
from tests.support import scenarios

pytestmark = pytest.mark.django_db


def test_a_second_active_booking_of_one_visitor_is_refused(now: datetime) -> None:
    first = scenarios.pending(now=now)
    second = scenarios.submitted("ravi@example.org", now=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        Booking.objects.filter(pk=second.pk).update(client=first.client, state=State.PENDING)
    assert scenarios.again(first).state == State.PENDING
    assert scenarios.again(second).state == State.DRAFT


@pytest.mark.postgres_only
def test_a_claim_over_another_one_is_refused(now: datetime) -> None:
    held = SlotClaim.objects.get(booking=scenarios.approved(now=now))
    other = scenarios.pending("ravi@example.org", now=now)
    half = held.blocked_from + timedelta(minutes=30)
    with pytest.raises(IntegrityError), transaction.atomic():
        SlotClaim.objects.create(
            psychologist=held.psychologist, booking=other, blocked_from=half, blocked_until=half + timedelta(hours=1)
        )
    assert SlotClaim.objects.get() == held
