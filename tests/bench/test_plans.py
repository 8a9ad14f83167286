"""No statement of a hot way reads a table of the practice whole, so that none becomes slower as it grows."""

from __future__ import annotations

import os

import pytest
from django.db import connection

from tests.bench import plans, practice
from tests.support.mail_sink import Sink

pytestmark = [
    pytest.mark.postgres_only,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("sandbox_payments"),
]

BOOKINGS = int(os.environ.get("TEST_PLANS_BOOKINGS", "20000"))
MOST = 500  # buffers of one statement: a table of bookings of this size has 750
SCANNED = (
    6_000  # rows read one after the other: there are 5,500 clients, and of the other tables that grow 16,000 and more
)
READS_MORE = {  # by how much it shows, and not by how large the practice is, save the first two
    "a scrape": "counts bookings by state",
    "overview": "counts bookings by state",
    "numbers": "sums up a month, by psychologist",
    "today": "all sessions of the day, and who of two months has not paid",
    "today, with the month": "the same, and sums up a month",
    "calendar, day": "all sessions of the day",
    "calendar, week": "all sessions of the week",
    "calendar, month": "all sessions of six weeks",
    "list, paid": "looks for the 251 newest that are paid, at each one's payments",
}


@pytest.fixture
def _no_pages_of_other_tests(transactional_db: None) -> None:
    """Whose rows are deleted and not cleared: who reads the first rows of a table would pass them."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM FULL")


@pytest.mark.usefixtures("_no_pages_of_other_tests")
def test_no_hot_statement_reads_a_table_whole(sink: Sink) -> None:
    practice.make(BOOKINGS)
    found = plans.of_everything()
    works = {plan.work for plan in found}
    assert works >= {"draft", "verify, approve, pay", "status", "beat's look", "mails", "a session", *READS_MORE}
    too_much = [plan for plan in found if plan.buffers > MOST or plan.scanned > SCANNED]
    named = [str(plan) for plan in too_much if plan.work not in READS_MORE]
    assert not named, "\n".join(named)
