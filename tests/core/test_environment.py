"""A variable that cannot be used stops the start with one sentence that names it; nothing falls back silently."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.core.environment import misspelt
from tests.support.commands import start
from tests.support.server import ROOT

pytestmark = pytest.mark.sqlite_only


def test_a_database_that_does_not_answer_is_one_sentence_and_no_traceback(tmp_path: Path) -> None:
    for command in (("ops_beat_check",), ("dead_letters", "list")):
        ended = start(tmp_path, *command, DATABASE_URL="postgresql://app@127.0.0.1:1/mindsettler")
        assert ended.returncode == 1
        assert "Database error: " in ended.stderr
        assert "Traceback" not in ended.stderr


def test_a_production_instance_answers_probes_on_its_own_machine(tmp_path: Path) -> None:
    given = {"DEBUG": "0", "ALLOWED_HOSTS": "api.example.org", "PUBLIC_URL": "https://api.example.org"}
    ask = (
        "from django.test import Client; "
        "print([Client(SERVER_NAME=name).get('/livez', secure=True).status_code"
        " for name in ('127.0.0.1', 'localhost', 'api.example.org', 'evil.example')])"
    )
    ended = start(tmp_path, "shell", "-v0", "-c", ask, **given)
    assert ended.stdout.strip() == "[200, 200, 200, 400]", ended.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgre://app@localhost/mindsettler"),
        ("DATABASE_URL", "postgresql://app@localhost:port/mindsettler"),
        ("DATABASE_URL", "mysql://app@localhost/mindsettler"),
        ("REDIS_URL", "localhost:6379"),
        ("DEBUG", "maybe"),
        ("DRAFT_LIFETIME", "48"),
        ("EMAIL_PORT", "smtp"),
        ("EMAIL_PROVIDER", "pigeon"),
        ("PRACTICE_TIME_ZONE", "Asia/Calcuta"),
        ("FIELD_KEY", "short"),
        ("SECRET_KEY", ""),
        ("TOKEN_KEY", ""),
        ("DATABASE_LOCK_TIMEOUT", "0s"),
        ("COMMAND_IDLE_TIMEOUT", "10"),
        ("DATABASE_LIMITS_BY", "pooler"),
        ("PAYMENT_GATEWAY", "paypall"),
        ("SENTRY_DSN", "key@sentry.example.org"),
        ("PING_URL", "hc-ping.com/key"),
        ("REFUND_ON_VISITOR_CANCELLATION", "half"),
    ],
)
def test_a_value_that_cannot_be_used_stops_the_start_and_is_named(name: str, value: str, tmp_path: Path) -> None:
    ended = start(tmp_path, **{name: value})
    assert ended.returncode != 0
    assert ended.stderr.startswith("Misconfigured: ")
    assert name in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_line_of_the_env_file_is_judged_the_same_way(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("SWEEP_EVERY=ten seconds\n")
    ended = start(tmp_path, ENV_FILE=str(tmp_path / "env"))
    assert ended.returncode != 0
    assert ended.stderr.startswith("Misconfigured: SWEEP_EVERY='ten seconds'")


def test_what_the_process_was_started_with_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("SWEEP_EVERY=ten seconds\n")
    assert start(tmp_path, ENV_FILE=str(tmp_path / "env"), SWEEP_EVERY="9s").returncode == 0


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("SESSION_LENGHT", "SESSION_LENGTH"),
        ("secret_key", "SECRET_KEY"),
        ("ALLOWED_HOST", "ALLOWED_HOSTS"),
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
        ("EMAIL_PASSWORD", "EMAIL_HOST_PASSWORD"),
    ],
)
def test_a_name_near_to_one_of_ours_is_a_misspelt_one(written: str, meant: str) -> None:
    assert misspelt([written, meant]) == {written: meant}


@pytest.mark.parametrize(
    "name", ["COMPOSE_PROJECT_NAME", "POSTGRES_USER", "TEST_DATABASE_URL", "WEB_WORKERS", "POD_NAME"]
)
def test_a_name_that_resembles_none_of_ours_is_somebody_elses(name: str) -> None:
    assert misspelt([name]) == {}


def test_a_misspelt_name_in_the_env_file_stops_the_start_with_the_one_that_was_meant(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("SESSION_LENGHT=45m\nPOSTGRES_USER=app\n")
    ended = start(tmp_path, ENV_FILE=str(tmp_path / "env"))
    assert ended.returncode != 0
    assert ended.stderr == (
        f"Misconfigured: SESSION_LENGHT in {tmp_path}/env is not a variable of ours; SESSION_LENGTH is.\n"
    )


STARTS = {
    "web": "import config.wsgi",
    "worker": "from workers.app import app; app.loader.import_default_modules()",
}


@pytest.mark.parametrize("process", STARTS)
def test_every_process_refuses_a_misspelt_name(process: str, tmp_path: Path) -> None:
    (tmp_path / "env").write_text("SESSION_LENGHT=45m\n")
    given = {**os.environ, "VAR_DIR": str(tmp_path), "ENV_FILE": str(tmp_path / "env"), "DATABASE_URL": ""}
    command = [sys.executable, "-c", STARTS[process]]
    ended = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "SESSION_LENGHT" in ended.stderr


def test_a_misspelt_name_of_the_process_itself_stops_nothing(tmp_path: Path) -> None:
    """Another program may have put it there; `ops_doctor` warns of it."""
    assert start(tmp_path, SESSION_LENGHT="45m").returncode == 0


def test_every_variable_is_known_once_the_models_are_loaded(tmp_path: Path) -> None:
    """Else a name spelt right would be refused as a misspelt one of its neighbours."""
    ended = start(
        tmp_path,
        *("shell", "-v0", "-c"),
        "import importlib, pkgutil, backend, config, workers\n"
        "from backend.core.environment import VARIABLES\n"
        "known = set(VARIABLES)\n"
        "for package in (backend, config, workers):\n"
        "    for module in pkgutil.walk_packages(package.__path__, f'{package.__name__}.'):\n"
        "        if not module.name.endswith('__main__'):\n"
        "            importlib.import_module(module.name)\n"
        "print(len(known), set(VARIABLES) - known)",
    )
    assert ended.stdout.endswith(" set()\n"), ended.stdout + ended.stderr


def test_the_sandbox_gateway_is_refused_without_debug(tmp_path: Path) -> None:
    ended = start(tmp_path, DEBUG="0", PAYMENT_GATEWAY="sandbox")
    assert "ALLOW_SANDBOX_PAYMENTS" in ended.stderr
    assert (
        start(tmp_path, DEBUG="0", PAYMENT_GATEWAY="sandbox", ALLOW_SANDBOX_PAYMENTS="1", SANDBOX_SECRET="x").returncode
        == 0
    )


def test_a_server_that_cannot_be_reached_is_refused_by_the_release_step(tmp_path: Path) -> None:
    given = {
        **os.environ,
        "VAR_DIR": str(tmp_path),
        "ENV_FILE": os.devnull,
        "DATABASE_URL": "postgresql://app@127.0.0.1:1/mindsettler",
    }
    ended = subprocess.run(
        [sys.executable, "manage.py", "release"], cwd=ROOT, env=given, capture_output=True, text=True, check=False
    )
    assert ended.returncode != 0
    assert "DATABASE_URL" in ended.stderr
    assert not (tmp_path / "db.sqlite3").exists()
