"""What every test stands on: a fixed clock, the ledger's triggers lifted for the flush alone, no stranger's socket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import hypothesis
import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from hypothesis import HealthCheck

from backend.bookings import ledger

MONDAY_MORNING = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)  # 10:00 in Asia/Kolkata, an open day


def pytest_configure() -> None:
    """Accounts are made in hundreds of tests; Argon2 is slow on purpose, and nothing here is worth guarding.

    Hypothesis has no say in how long an example takes: a busy machine is no bug.
    """
    hypothesis.settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    hypothesis.settings.load_profile("house")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def now() -> datetime:
    """The instant at which a test's story begins."""
    return MONDAY_MORNING


@pytest.fixture(autouse=True, scope="session")
def _flush_despite_the_ledger() -> Iterator[None]:
    """Only the flush between transactional tests may empty the ledger; post_migrate puts the triggers back."""
    flush = TransactionTestCase._fixture_teardown

    def lifted(case: TransactionTestCase) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                for verb in ("update", "delete"):
                    cursor.execute(f"DROP TRIGGER IF EXISTS ledger_refuses_{verb}")
        flush(case)
        ledger.install_triggers()

    TransactionTestCase._fixture_teardown = lifted
    yield
    TransactionTestCase._fixture_teardown = flush
