"""Many at once, through HTTP on PostgreSQL: locks in one order, one winner, no deadlock."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
import requests
from django.db import connection
from django.utils import timezone

from backend.bookings import policy
from backend.bookings.machine import ACTIVE, Reason, State
from backend.bookings.models import Booking, LedgerEntry
from tests import story
from tests.server import web_server
from tests.story import ASHA

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer; the races need PostgreSQL"),
]


def deadlocks() -> int:
    """Deadlocks PostgreSQL has counted in this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def test_of_a_hundred_simultaneous_verifications_of_one_address_one_booking_is_active(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(policy, "STRANGER_MAILS_PER_HOUR", 1000)
    monkeypatch.setattr(policy, "STRANGER_MAILS_PER_DAY", 1000)
    now: datetime = timezone.now()
    drafts = [story.submitted(now=now, user_message=str(n)) for n in range(100)]
    tokens = [story.token_of(draft) for draft in drafts]
    before = deadlocks()
    with web_server() as url, ThreadPoolExecutor(100) as many:

        def verify(token: str) -> int:
            answer = requests.post(f"{url}/api/bookings/verify-email/", json={"token": token}, timeout=60)
            return answer.status_code

        statuses = Counter(many.map(verify, tokens))
    assert statuses == {200: 1, 410: 99}
    assert Booking.objects.filter(email=ASHA, state__in=ACTIVE).count() == 1
    assert Booking.objects.filter(email=ASHA, state=State.CANCELLED, reason=Reason.SUPERSEDED).count() == 99
    assert LedgerEntry.objects.filter(source=State.DRAFT).count() == 100
    assert deadlocks() == before
