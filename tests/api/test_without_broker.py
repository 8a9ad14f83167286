"""With Redis gone the web tier takes bookings as ever; their mails wait in the outbox."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from django.utils import timezone

from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.outbox.models import Message, MessageState
from tests.support import scenarios

pytestmark = pytest.mark.postgres_only


@pytest.mark.django_db(transaction=True)
def test_drafts_are_taken_while_the_broker_is_gone_and_every_mail_is_owed_once(server: str) -> None:
    form = {
        "full_name": "Asha Rao",
        "phone_number": "9876543210",
        "city": "Pune",
        "state": "NA",
        "country": "India",
        "age": 31,
        "gender": "FEMALE",
        "emergency_contact": "Vikram",
        "consent_given": True,
        "preferred_date": str(scenarios.slot_tomorrow(timezone.now()).date()),
        "preferred_period": "MORNING",
        "mode": "ONLINE",
        "payment_mode": "ONLINE",
    }
    with ThreadPoolExecutor(8) as many:

        def post(number: int) -> int:
            body = {**form, "email": f"visitor{number}@example.org"}
            return requests.post(f"{server}/api/bookings/draft/", json=body, timeout=30).status_code

        statuses = Counter(many.map(post, range(60)))
    assert statuses == {201: 60}
    assert Booking.objects.count() == 60
    owed = Message.objects.filter(kind=Notice.DRAFT_SUBMITTED, state=MessageState.WAITING)
    assert owed.count() == owed.values("recipient").distinct().count() == 60
