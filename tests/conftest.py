"""What every test stands on: a fixed clock, its database, and the fixtures that more than one module uses."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import time_machine
from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.test import Client as Browser
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from pytest_django.plugin import DjangoDbBlocker

from backend.outbox import turns
from tests.support import admin_site, flushing, mail_sink, migrated, one_database, postgres_tools, races, staff_api
from tests.support import valkey as broker
from tests.support.gateway import Receiver, Sandbox
from tests.support.mail_sink import Sink
from tests.support.server import web_server
from tests.support.staff_api import Desk
from tests.support.valkey import Valkey
from workers import heartbeat, mail

MONDAY_MORNING = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)  # 10:00 in Asia/Kolkata, an open day


def pytest_configure() -> None:
    """Accounts are made in hundreds of tests; Argon2 is slow on purpose, and nothing here is worth guarding.

    Hypothesis has no say in how long an example takes: a busy machine is no bug.
    """
    hypothesis.settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    hypothesis.settings.load_profile("house")
    admin.autodiscover()  # every test has its pages, as who has addresses
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # clocks travel for days while somebody is logged in; tests/accounts/test_sessions.py has the real limits
    settings.LOGIN_IDLE = settings.LOGIN_LONGEST = settings.LOGIN_FRESH = timedelta(days=3650)
    settings.SESSION_COOKIE_AGE = int(settings.LOGIN_LONGEST.total_seconds())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects what runs on the other database, and what a target of its own runs."""
    if _runs_all(config):
        return
    here, elsewhere = [], []
    for item in items:
        if one_database.is_contradicted(item):
            raise pytest.UsageError(f"{item.nodeid} runs on another database than its whole file")
        is_here = one_database.only_on(item) in (None, connection.vendor)
        (here if is_here and not _waits_to_be_asked_for(item, config) else elsewhere).append(item)
    if elsewhere:
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = here
    items.sort(key=_patience, reverse=True)


def _waits_to_be_asked_for(item: pytest.Item, config: pytest.Config) -> bool:
    """What is slow runs with `make security` alone; what starts many processes where `-m stacks` says so."""
    if item.get_closest_marker("slow"):
        return True
    return item.get_closest_marker("stacks") is not None and config.getoption("markexpr") != "stacks"


def _patience(item: pytest.Item) -> float:
    """What takes minutes begins first: at the end the other workers would wait for it. Else the order stays.

    Then what asks the shared server, all of it of the worker that has begun with it: each starts one of its own.
    """
    mark = item.get_closest_marker("timeout")
    if mark:
        return float(mark.args[0])
    return 1.0 if "server" in getattr(item, "fixturenames", ()) else 0.0


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Imports no file of the other database: on PostgreSQL they are two thirds."""
    if collection_path.suffix != ".py" or _runs_all(config):
        return None
    return one_database.file_only_on(collection_path) not in (None, connection.vendor) or None


def _runs_all(config: pytest.Config) -> bool:
    return config.pluginmanager.has_plugin("tests.security.production")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test that passed said is read by nobody, and would go from its worker to the others' terminal."""
    report = yield
    if report.passed:
        report.sections.clear()
    return report


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end: collections of garbage that walk it cost a sixth of the run's CPU."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker) -> None:
    """A run begins with a copy of a migrated database."""
    with django_db_blocker.unblock():
        migrated.prepare()


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """What was copied is not made anew."""
    return True


@pytest.fixture
def now() -> datetime:
    """The instant at which a test begins."""
    return MONDAY_MORNING


@pytest.fixture(scope="session")
def server(django_db_setup: None) -> Iterator[str]:
    """The address of a real web server over the test's database, for what many do there at once; PostgreSQL only."""
    with web_server(
        DEBUG="1",
        SANDBOX_SECRET=settings.SANDBOX_SECRET,
        PAYMENT_GATEWAY="sandbox",
        STRANGER_REQUESTS_PER_HOUR="1000",
        STRANGER_MAILS_PER_HOUR="1000",
        STRANGER_MAILS_PER_DAY="1000",
        DATABASE_LOCK_TIMEOUT="60s",  # forty wait for one row here, on a slow machine: only their order is judged
        DATABASE_STATEMENT_TIMEOUT="60s",
    ) as url:
        yield url


@pytest.fixture
def clock(now: datetime) -> Iterator[time_machine.Traveller]:
    """Time stands still at `now` until the test moves it."""
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


@pytest.fixture
def sandbox_payments(settings: Any) -> None:
    """Online payment is offered; no gateway answers."""
    settings.PAYMENT_GATEWAY = "sandbox"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Who hears the sandbox gateway's reports."""
    made = Receiver()
    made.listen()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def sandbox(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One process for all tests of a module that neither kill it nor change every order's behaviour."""
    made = Sandbox(tmp_path_factory.mktemp("sandbox"), receiver.url)
    yield made
    assert made.stop() == 0


@pytest.fixture(autouse=True)
def _nothing_kept_by_a_worker() -> Iterator[None]:
    """A worker keeps its connection, its last sign of life, its clock's error and where turns begin; the next test is
    another process."""
    yield
    turns.forget()
    mail._outlet.close()
    heartbeat._said_at.clear()
    heartbeat._clock.ahead = heartbeat._clock.compared_at = None


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    """A mail server that the mail worker writes to."""
    with mail_sink.listening() as listening:
        listening.serve(settings)
        yield listening
        mail._outlet.close()


@pytest.fixture
def valkey(settings: Any) -> Iterator[Valkey]:
    """The broker of this test, and of what the test asks about it."""
    with broker.running() as running:
        settings.CELERY_BROKER_URL = running.url
        yield running


@pytest.fixture
def _postgres_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_dump and pg_restore of the wheel that tests install, which are as new as any server."""
    monkeypatch.setenv("PATH", postgres_tools.path())


@pytest.fixture
def desk() -> Browser:
    """The admin, opened by somebody who may do everything."""
    return admin_site.owner()


@pytest.fixture
def staff() -> Desk:
    """The staff API, with the token of somebody who may do everything."""
    return staff_api.desk()


@pytest.fixture
def site(
    server: str,
    sandbox_payments: None,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> Iterator[str]:
    """The server's address, for a race; afterwards what must hold whoever won."""
    before = races.deadlocks()
    yield server
    assert races.deadlocks() == before
    wrong = races.wrong_bookings()
    race = request.node.name.removeprefix("test_").replace("_", " ")
    record_property(f"figure: illegal or double transitions: {race}", f"{len(wrong)} of 0")
    assert not wrong
    races.check_money()


@pytest.fixture(autouse=True, scope="session")
def _flush_only_what_tests_write() -> Iterator[None]:
    """What a transactional test wrote, and nothing that a migration made."""
    flush = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = lambda _case: flushing.flush()
    yield
    TransactionTestCase._fixture_teardown = flush
