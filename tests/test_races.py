"""Many at once, through HTTP on PostgreSQL: locks in one order, one winner, no deadlock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from django.db import connection

from backend.bookings.machine import ACTIVE, Reason, State
from backend.bookings.models import Booking, LedgerEntry
from tests import story
from tests.demo.site import form
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


def test_of_a_hundred_simultaneous_drafts_and_verifications_of_one_address_one_booking_is_active(
    record_property: Callable[[str, object], None],
) -> None:
    before = deadlocks()
    limits = {"STRANGER_MAILS_PER_HOUR": "1000", "STRANGER_MAILS_PER_DAY": "1000"}
    with web_server(**limits) as url, ThreadPoolExecutor(100) as many:

        def submit(number: int) -> int:
            body = form(ASHA, "Asha Rao", user_message=str(number))
            return requests.post(f"{url}/api/bookings/draft/", json=body, timeout=60).status_code

        def verify(token: str) -> int:
            answer = requests.post(f"{url}/api/bookings/verify-email/", json={"token": token}, timeout=60)
            return answer.status_code

        assert set(many.map(submit, range(100))) == {201}
        tokens = [story.token_of(draft) for draft in Booking.objects.filter(email=ASHA)]
        statuses = Counter(many.map(verify, tokens))
    assert statuses == {200: 1, 410: 99}
    active = Booking.objects.filter(email=ASHA, state__in=ACTIVE).count()
    record_property("figure: active bookings after 100 simultaneous drafts and verifications", f"{active} of 1")
    assert active == 1
    assert Booking.objects.filter(email=ASHA, state=State.CANCELLED, reason=Reason.SUPERSEDED).count() == 99
    assert LedgerEntry.objects.filter(source=State.DRAFT).count() == 100
    assert deadlocks() == before
