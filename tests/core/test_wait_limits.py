"""Which limits of waits are in force, for whom, and who says so."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from backend.core import database_timeouts
from backend.ops import doctor
from tests.support.commands import start
from tests.support.impatience import impatient, reconnected
from tests.support.server import database_url

pytestmark = [pytest.mark.django_db(transaction=True)]
ONCE = 0.3  # seconds that a wait of these tests may take


@pytest.mark.postgres_only
def test_a_statement_and_a_silent_transaction_end_as_well(now: datetime) -> None:
    usual = dict(connection.settings_dict["OPTIONS"])
    try:
        reconnected(**impatient(statement_timeout=ONCE))
        with pytest.raises(DatabaseError) as slow, connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(60)")
        reconnected(**impatient(idle_in_transaction_session_timeout=0.05))
        with pytest.raises(DatabaseError) as silent:
            fall_silent()
    finally:
        reconnected(**usual)
    assert database_timeouts.is_timeout(slow.value)
    assert database_timeouts.is_timeout(silent.value)
    assert not database_timeouts.is_timeout(DatabaseError("a bug"))


@transaction.atomic
def fall_silent() -> None:
    """Ask, and ask again once the server has ended this session."""
    with psycopg.connect(database_url(), autocommit=True) as watcher, connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        ours = cursor.fetchone()
        while watcher.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", ours).fetchone():
            pass
        cursor.execute("SELECT 1")


@pytest.mark.postgres_only
def test_the_limits_are_in_force_from_the_connections_first_packet_and_cost_no_statement(settings: Any) -> None:
    with CaptureQueriesContext(connection) as queries:
        reconnected()
        assert database_timeouts.in_force(list(settings.DATABASE_LIMITS)) == settings.DATABASE_LIMITS
    assert len(queries) == 1
    assert doctor.limits() == ()
    assert settings.DATABASE_LIMITS["lock_timeout"] == timedelta(seconds=3)


@pytest.mark.postgres_only
def test_the_doctor_names_a_limit_that_is_not_in_force_and_what_to_do(settings: Any) -> None:
    usual = dict(connection.settings_dict["OPTIONS"])
    role = connection.settings_dict["USER"]
    try:
        reconnected(options="")  # as behind a pooler that drops them
        assert [finding.text for finding in doctor.limits()] == [
            "idle_in_transaction_session_timeout on the connection is off, and should be 10000ms.",
            "lock_timeout on the connection is off, and should be 3000ms.",
            "statement_timeout on the connection is off, and should be 15000ms.",
        ]
        settings.DATABASE_LIMITS_BY = "role"
        with connection.cursor() as cursor:
            for finding in doctor.limits():
                statement = finding.advice.removeprefix("Run ").partition(";")[0]
                assert statement.startswith(f"ALTER ROLE {role} SET ")
                cursor.execute(statement)  # the very advice
        reconnected()
        assert doctor.limits() == ()
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER ROLE "{role}" RESET ALL')
        reconnected(**usual)


@pytest.mark.postgres_only
@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "-c lock_timeout=10000 -c statement_timeout=1800000 -c idle_in_transaction_session_timeout=600000"),
        (
            {"DATABASE_WAITS": "online", "DATABASE_LOCK_TIMEOUT": "0.5s"},
            "-c lock_timeout=500 -c statement_timeout=15000 -c idle_in_transaction_session_timeout=10000",
        ),
        ({"DATABASE_LIMITS_BY": "role"}, None),
    ],
)
def test_a_command_has_limits_of_its_own_and_a_role_gets_none_sent(
    variables: dict[str, str], expected: str | None, tmp_path: Any
) -> None:
    assert options_of_a_command(tmp_path, DATABASE_URL=database_url(), **variables).get("options") == expected


@pytest.mark.sqlite_only
def test_the_variable_bounds_the_wait_for_sqlites_file(tmp_path: Any) -> None:
    assert options_of_a_command(tmp_path, DATABASE_LOCK_TIMEOUT="0.3s")["timeout"] == ONCE
    assert options_of_a_command(tmp_path)["timeout"] == 20


def options_of_a_command(folder: Any, **variables: str) -> dict[str, Any]:
    ask = (
        "import json; from django.db import connection; "
        "print(json.dumps(connection.settings_dict['OPTIONS'], default=str))"  # the pool's class of connections
    )
    ended = start(folder, "shell", "-v0", "-c", ask, **variables)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found
