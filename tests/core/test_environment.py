"""A variable that cannot be used stops the start with one sentence that names it; nothing falls back silently."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.core.environment import misspelt
from tests.support.commands import refusals, settings_with, start
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


UNUSABLE = [
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
    ("ACCESS_RECORDS_KEPT", "365d"),
    ("COMMAND_IDLE_TIMEOUT", "10"),
    ("DATABASE_LIMITS_BY", "pooler"),
    ("PAYMENT_GATEWAY", "paypall"),
    ("SENTRY_DSN", "key@sentry.example.org"),
    ("PING_URL", "hc-ping.com/key"),
    ("REFUND_ON_VISITOR_CANCELLATION", "half"),
    ("PRACTICE_GSTIN", "27AAPFU0939F1ZX"),
    ("TAX_MODE", "registered"),
    ("TAX_SAC", "998311"),
    ("TAX_PERCENT", "40"),
    ("STAFF_INBOX", "one@example.org, two@example.org"),
    ("MANAGER_INBOX", "Manager <manager@example.org>"),
    ("FROM_EMAIL", "one@example.org, two@example.org"),
    ("EMAIL_PROVIDER", "postmark"),
    ("EMAIL_HOST_PASSWORD", "secret"),
    ("PUBLIC_URL", "api.example.org"),
    ("FRONTEND_URL", "https://"),
    ("SANDBOX_URL", "ftp://127.0.0.1"),
    ("EMAIL_API_URL", "api.eu.mailgun.net/v3"),
    ("ALLOWED_HOSTS", "https://api.example.org"),
    ("CORS_ORIGINS", "https://www.example.org/site"),
    ("SUPPORT_LINES", "Emergency"),
    ("FLOWER_BASIC_AUTH", "ops"),
    ("EMAIL_HOST", "smtp.example.org:587"),
    ("DATABASE_URL", "postgresql://app:pa/ss@db.example.org/mindsettler"),
    ("DATABASE_URL", "postgresql://app:12/34@db.example.org/mindsettler"),
    ("DATABASE_URL", "postgresql://app:pa#ss@db.example.org/mindsettler"),
    ("DATABASE_URL", "postgresql://app:pa[ss@db.example.org/mindsettler"),
    ("REDIS_URL", "redis://:pa#ss@redis.example.org:6379/0"),
    ("REDIS_URL", "redis://:pa/ss@redis.example.org:6379/0"),
]


def test_a_value_that_cannot_be_used_is_refused_in_one_sentence_that_names_it(tmp_path: Path) -> None:
    said = refusals(tmp_path, UNUSABLE)
    wrong = {given: sentence for given, sentence in zip(UNUSABLE, said, strict=True) if not names(given[0], sentence)}
    assert wrong == {}


def names(variable: str, sentence: str) -> bool:
    return variable in sentence and len(sentence.splitlines()) == 1


def test_what_people_write_is_taken(tmp_path: Path) -> None:
    usable = [
        ("STAFF_INBOX", "desk@müller.example"),
        ("FROM_EMAIL", "bookings@example.org"),
        ("ALLOWED_HOSTS", "api.example.org, .example.org, 10.0.0.7, [::1]"),
        ("DATABASE_URL", "postgresql://app:pa%2Fss@%2Fvar%2Frun%2Fpostgresql/mindsettler?sslmode=require"),
        ("DATABASE_URL", "postgresql:///mindsettler"),
        ("REDIS_URL", "redis://:pa%23ss@redis.example.org:6379/0"),
        ("REDIS_URL", "redis+socket:///run/valkey.sock"),
        ("SUPPORT_LINES", "Emergency=112, Kiran=1800 599 0019"),
        ("FLOWER_ADDRESS", "::1"),
        ("SENTRY_DSN", "https://key@sentry.example.org/1"),
    ]
    assert refusals(tmp_path, usable) == [""] * len(usable)


def test_a_refusal_stops_the_start_with_one_line(tmp_path: Path) -> None:
    ended = start(tmp_path, REFUND_ON_VISITOR_CANCELLATION="half")
    assert ended.returncode != 0
    assert ended.stderr.startswith("Misconfigured: REFUND_ON_VISITOR_CANCELLATION")
    assert len(ended.stderr.splitlines()) == 1


def test_no_sentence_quotes_a_password(tmp_path: Path) -> None:
    said = refusals(tmp_path, [("DATABASE_URL", "postgresql://app:pa/ss@db/x"), ("SENTRY_DSN", "https:/pa/ss@sentry")])
    assert not [sentence for sentence in said if "pa/ss" in sentence or not sentence]


def test_a_password_is_never_sent_in_clear(tmp_path: Path) -> None:
    login = {"EMAIL_HOST": "127.0.0.1", "EMAIL_HOST_USER": "app", "EMAIL_HOST_PASSWORD": "secret"}
    given = [{**login, **more} for more in ({"EMAIL_PORT": "2525"}, {"EMAIL_PORT": "465"}, {"EMAIL_SECURITY": "none"})]
    assert settings_with(tmp_path, given, "EMAIL_USE_TLS", "EMAIL_USE_SSL") == [
        "True False",
        "False True",
        "EMAIL_SECURITY=none would send EMAIL_HOST_PASSWORD in clear.",
    ]


def test_a_line_of_the_env_file_is_judged_the_same_way_unless_the_process_was_started_with_another(
    tmp_path: Path,
) -> None:
    (tmp_path / "env").write_text("SWEEP_EVERY=ten seconds\n")
    file = {"ENV_FILE": str(tmp_path / "env")}
    refused, taken = settings_with(tmp_path, [file, {**file, "SWEEP_EVERY": "9s"}])
    assert refused.startswith("SWEEP_EVERY='ten seconds'")
    assert taken == ""


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
    assert settings_with(tmp_path, [{"SESSION_LENGHT": "45m"}]) == [""]


def test_every_variable_is_known_once_the_models_are_loaded(tmp_path: Path) -> None:
    """Else a name spelt right would be refused as a misspelt one of its neighbours."""
    ended = start(
        tmp_path,
        *("shell", "-v0", "-c"),
        "import importlib, pkgutil, backend, config, workers\n"
        "from backend.core.environment import VARIABLES\n"
        "known = set(VARIABLES)\n"
        "from django.contrib import admin; admin.autodiscover()\n"  # in its order: ours take the place of libraries'
        "for package in (backend, config, workers):\n"
        "    for module in pkgutil.walk_packages(package.__path__, f'{package.__name__}.'):\n"
        "        if not module.name.endswith('__main__'):\n"
        "            importlib.import_module(module.name)\n"
        "print(len(known), set(VARIABLES) - known)",
    )
    assert ended.stdout.endswith(" set()\n"), ended.stdout + ended.stderr


def test_the_sandbox_gateway_is_refused_without_debug(tmp_path: Path) -> None:
    production = {"DEBUG": "0", "PAYMENT_GATEWAY": "sandbox"}
    allowed = {**production, "ALLOW_SANDBOX_PAYMENTS": "1", "SANDBOX_SECRET": "x"}
    refused, taken = settings_with(tmp_path, [production, allowed])
    assert "ALLOW_SANDBOX_PAYMENTS" in refused
    assert taken == ""


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
