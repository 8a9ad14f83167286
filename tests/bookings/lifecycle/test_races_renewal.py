"""An extension and the mail worker at once, on PostgreSQL: whichever is first, nobody is left with the old deadline."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import close_old_connections, connection, transaction

from backend.bookings.lifecycle import front_desk
from backend.bookings.machine import State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.core import formatting
from backend.notifications import delivery
from backend.outbox import messages
from backend.outbox.models import Message, Queue
from tests.support import holder, scenarios
from tests.support.gateway import until
from tests.support.races import POSTGRES_ONLY

pytestmark = POSTGRES_ONLY


def extend(booking: Booking, now: datetime) -> None:
    assert front_desk.extend_deadline(booking.pk, State.PENDING, timedelta(hours=6), actor="staff:desk", now=now)


def attempt(message: Message, now: datetime) -> str:
    """What the worker would say: it has begun, and reads the booking now."""
    try:
        assert holder.begin_attempt(message, now=now)
        facts = delivery.prepare(message, now=now)
        assert facts is not None
        return str(facts["answer_by"])
    finally:
        close_old_connections()
        connection.close()


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return int(cursor.fetchone()[0]) > 0


@pytest.mark.parametrize("is_first", [True, False])
def test_an_attempt_beside_an_extension_says_the_new_deadline_or_is_told_anew(is_first: bool, now: datetime) -> None:
    booking = scenarios.pending(now=now)
    [message] = [row for row in messages.claim(Queue.MAIL, now=now) if row.kind == Notice.BOOKING_RECEIVED]
    with ThreadPoolExecutor(1) as worker:
        if is_first:
            said = worker.submit(attempt, message, now).result()
            extend(booking, now)
        else:
            with transaction.atomic():
                extend(booking, now)
                running = worker.submit(attempt, message, now)
                until(somebody_waits)
            said = running.result()
    due_at = scenarios.again(booking).due_at
    assert due_at is not None
    is_said = said == formatting.day_and_time(due_at)
    assert is_said is not is_first
    assert Message.objects.filter(dedupe_key=f"anew:{message.pk}").exists() is is_first
