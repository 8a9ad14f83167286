"""What every test stands on: a fixed clock, the ledger's triggers lifted for the flush alone, no stranger's socket."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from datetime import UTC, datetime

import hypothesis
import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from hypothesis import HealthCheck

from backend.bookings import ledger_triggers
from tests.support.server import web_server

MONDAY_MORNING = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)  # 10:00 in Asia/Kolkata, an open day


def pytest_configure() -> None:
    """Accounts are made in hundreds of tests; Argon2 is slow on purpose, and nothing here is worth guarding.

    Hypothesis has no say in how long an example takes: a busy machine is no bug.
    """
    hypothesis.settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    hypothesis.settings.load_profile("house")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end: collections of garbage that walk it cost a sixth of the run's CPU."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture
def now() -> datetime:
    """The instant at which a test's story begins."""
    return MONDAY_MORNING


@pytest.fixture(scope="session")
def server(django_db_setup: None) -> Iterator[str]:
    """The address of a real web server over the test's database, for what many do there at once; PostgreSQL only."""
    with web_server(
        DEBUG="1",
        SANDBOX_SECRET=settings.SANDBOX_SECRET,
        PAYMENT_GATEWAY="sandbox",
        STRANGER_MAILS_PER_HOUR="1000",
        STRANGER_MAILS_PER_DAY="1000",
    ) as url:
        yield url


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
        ledger_triggers.install_triggers()

    TransactionTestCase._fixture_teardown = lifted
    yield
    TransactionTestCase._fixture_teardown = flush
