"""Who follows the ledger by number misses nothing, in whatever order transactions commit."""

from __future__ import annotations

import threading
from datetime import datetime

import pytest
from django.db import connection, transaction

from backend.bookings import ledger_feed
from backend.bookings.intents import Intent
from backend.bookings.machine import State
from backend.bookings.models import LedgerEntry
from tests.support import api, factories, scenarios
from tests.support.staff_api import STAFF, desk

EVENTS = f"{STAFF}events/"


@pytest.mark.sqlite_only
@pytest.mark.django_db
def test_pages_follow_one_another_until_nothing_is_new(now: datetime) -> None:
    booking, staff = scenarios.pending(now=now), desk()
    first = api.done(staff.get(EVENTS, {"limit": "1"}))
    second = api.done(staff.get(EVENTS, {"after": str(first["next"])}))
    told = [*first["events"], *second["events"]]
    assert [(row["acknowledgement_id"], row["sequence"], row["intent"]) for row in told] == [
        (booking.acknowledgement_id, 1, Intent.SUBMIT_DRAFT),
        (booking.acknowledgement_id, 2, Intent.VERIFY_EMAIL),
    ]
    assert api.done(staff.get(EVENTS, {"after": str(second["next"])})) == {"events": [], "next": second["next"]}


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_a_row_that_commits_late_is_not_passed(now: datetime) -> None:
    booking = factories.make_booking(State.PENDING, now=now)
    start = LedgerEntry.objects.latest("pk").pk
    is_written, may_commit = threading.Event(), threading.Event()

    def slowly() -> None:
        with transaction.atomic():
            factories.write_row(booking, Intent.EXTEND_DEADLINE, now=now)
            is_written.set()
            may_commit.wait(timeout=30)
        connection.close()

    slow = threading.Thread(target=slowly)
    slow.start()
    assert is_written.wait(timeout=30)
    other = factories.make_booking(State.DRAFT, now=now, email="ravi@example.org")
    assert LedgerEntry.objects.filter(pk__gt=start).count() == 1  # the higher number is there, the lower one is not
    assert ledger_feed.rows_after(start, limit=10) == []
    may_commit.set()
    slow.join()
    assert [row.booking_id for row in ledger_feed.rows_after(start, limit=10)] == [booking.pk, other.pk]
