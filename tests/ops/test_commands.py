"""The operator's commands: what they print, what they end with, and what they do."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from backend.ops import doctor, mail_domain
from backend.ops.health import SILENT_AFTER
from backend.ops.models import Act, ProcessRole
from backend.outbox.models import Message, MessageState
from tests.support import scenarios, system_health
from tests.support.valkey import Valkey

pytestmark = [pytest.mark.sqlite_only, pytest.mark.django_db, pytest.mark.usefixtures("clock")]
SECOND = timedelta(seconds=1)


def run(*arguments: object) -> str:
    """What the command prints."""
    printed = io.StringIO()
    call_command(*(str(argument) for argument in arguments), stdout=printed)
    return printed.getvalue()


def ended(*arguments: object) -> tuple[int, str]:
    """The doctor's exit code and words."""
    printed = io.StringIO()
    try:
        call_command(*(str(argument) for argument in arguments), stdout=printed)
    except SystemExit as end:
        return int(end.code or 0), printed.getvalue()
    return 0, printed.getvalue()


@pytest.fixture
def production(settings) -> None:
    """Settings as a practice has them."""
    settings.DEBUG = False
    settings.PUBLIC_URL = "https://api.example.org"
    settings.TRUSTED_PROXIES = 1
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.DEFAULT_FROM_EMAIL = settings.STAFF_INBOX = "desk@example.org"
    settings.PAYMENT_GATEWAY, settings.ROOMS = "real", "jitsi"
    settings.REDIS_URL = settings.CELERY_BROKER_URL


def test_status_is_a_text_with_every_table(now: datetime, valkey: Valkey) -> None:
    system_health.healthy(now=now)
    system_health.dead_letter(now=now)
    scenarios.submitted(now=now)
    printed = run("ops_status")
    for line in ("-- Stores", "-- Queues", "-- Processes", "-- Timers", "-- Bookings", "beat@test", "lapse_drafts "):
        assert line in printed
    assert "warning: Dead letters in mail: 1." in printed
    assert "example.org" not in printed


def test_status_as_json_is_the_snapshot(now: datetime, valkey: Valkey) -> None:
    system_health.healthy(now=now)
    system_health.silent(ProcessRole.BEAT, 50 * SECOND)
    told = json.loads(run("ops_status", "--json"))
    assert told["taken_at"] == now.isoformat()
    assert told["database"]["is_reachable"]
    assert [p["age"] for p in told["health"]["processes"] if p["role"] == "beat"] == [50.0]
    assert told["figures"]["bookings"]["DRAFT"] == 0
    assert [found["component"] for found in told["findings"]] == ["beat"]


def test_status_is_told_without_a_broker() -> None:
    assert "does not answer" in run("ops_status")


@pytest.mark.usefixtures("production")
def test_the_doctor_finds_a_healthy_system_well(now: datetime, valkey: Valkey, monkeypatch) -> None:
    system_health.healthy(now=now)
    monkeypatch.setattr(doctor, "connection", SimpleNamespace(vendor="postgresql"))
    monkeypatch.setattr(mail_domain, "ask", lambda name: ["v=DMARC1; p=reject" if "_dmarc" in name else "v=spf1 -all"])
    assert ended("ops_doctor") == (0, "All well.\n")


def test_the_doctor_exits_1_when_somebody_should_look(now: datetime, valkey: Valkey) -> None:
    system_health.healthy(now=now)
    system_health.dead_letter(now=now)
    code, printed = ended("ops_doctor")
    assert code == 1
    assert "Dead letters in mail: 1." in printed
    assert "dead_letters list" in printed


def test_the_doctor_exits_2_when_something_does_not_work(now: datetime) -> None:
    system_health.healthy(now=now)
    code, printed = ended("ops_doctor")
    assert code == 2
    assert printed.startswith("degraded  broker: The broker does not answer")
    assert "REDIS_URL" in printed


def test_the_doctor_misses_what_the_schedule_lacks(now: datetime) -> None:
    from django_celery_beat.models import PeriodicTask

    system_health.healthy(now=now)
    PeriodicTask.objects.filter(name="drain mail").delete()
    PeriodicTask.objects.filter(name="drain payments").update(enabled=False)
    _, printed = ended("ops_doctor")
    assert "The schedule lacks “drain mail”." in printed
    assert "“drain payments” is switched off" in printed


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("PUBLIC_URL", "http://api.example.org", "PUBLIC_URL"),
        ("TRUSTED_PROXIES", 0, "TRUSTED_PROXIES"),
        ("EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend", "EMAIL_HOST"),
        ("DEFAULT_FROM_EMAIL", "x@localhost", "FROM_EMAIL"),
        ("STAFF_INBOX", "x@localhost", "STAFF_INBOX"),
        ("PAYMENT_GATEWAY", "", "PAYMENT_GATEWAY"),
        ("PAYMENT_GATEWAY", "sandbox", "no real money"),
        ("ROOMS", "static", "ROOMS=static"),
        ("ALLOW_SANDBOX_PAYMENTS", True, "ALLOW_SANDBOX_PAYMENTS"),
        ("DEBUG", True, "DEBUG"),
    ],
)
def test_the_doctor_reads_the_configuration(name: str, value: object, word: str, settings) -> None:
    before = doctor.configuration()
    setattr(settings, name, value)
    assert [word in f.text + f.advice for f in doctor.configuration() if f not in before] == [True]


@pytest.mark.usefixtures("production")
def test_the_doctor_is_content_without_a_gateway_that_is_not_wanted(settings) -> None:
    settings.PAYMENT_GATEWAY, settings.IS_WITHOUT_GATEWAY = "", True
    assert [finding for finding in doctor.configuration() if finding.component == "payments"] == []


@pytest.mark.parametrize("debug", [True, False])
def test_the_doctor_warns_of_a_misspelt_name_in_the_environment(debug: bool, settings, monkeypatch) -> None:
    settings.DEBUG = debug
    monkeypatch.setenv("SESSION_LENGHT", "45m")
    monkeypatch.setenv("POD_NAME", "web-7")
    found = [finding for finding in doctor.configuration() if finding.component == "environment"]
    assert [(f.text, f.advice) for f in found] == [
        ("SESSION_LENGHT is set and nobody reads it.", "Set SESSION_LENGTH if that was meant.")
    ]


def test_a_worker_is_checked_by_name(now: datetime, settings) -> None:
    settings.NODE_NAME = system_health.NODE
    system_health.healthy(now=now)
    system_health.silent(ProcessRole.MAIL, SILENT_AFTER)
    assert run("ops_worker_check", "mail").startswith("mail@test is at work")
    system_health.silent(ProcessRole.MAIL, SECOND)
    for name in ("mail", "mail@test"):
        with pytest.raises(CommandError, match="mail@test fell silent 31 s ago"):
            run("ops_worker_check", name)
    with pytest.raises(CommandError, match="mail@elsewhere has given no sign of life"):
        run("ops_worker_check", "mail@elsewhere")


def test_beat_is_checked(now: datetime) -> None:
    with pytest.raises(CommandError, match="No beat has ticked"):
        run("ops_beat_check")
    system_health.healthy(now=now)
    assert run("ops_beat_check").startswith("beat@test ticks")
    system_health.silent(ProcessRole.BEAT, SILENT_AFTER + SECOND)
    with pytest.raises(CommandError, match="Beat fell silent 31 s ago"):
        run("ops_beat_check")


def test_dead_letters_are_listed_without_their_address_and_shown_with_it(now: datetime) -> None:
    row = system_health.dead_letter(now=now)
    system_health.dead_letter("2", now=now, queue="payments", kind="make_refund")
    printed = run("dead_letters", "list")
    assert f"{row.pk}  mail  booking_approved  no booking" in printed
    assert printed.endswith("Dead letters: 2\n")
    assert "asha@example.org" not in printed
    assert run("dead_letters", "list", "--queue=payments").endswith("Dead letters: 1\n")
    assert "asha@example.org" in run("dead_letters", "show", row.pk)
    with pytest.raises(CommandError, match="no message 99"):
        run("dead_letters", "show", 99)


def test_dead_letters_are_redriven_and_discarded_from_the_console(now: datetime) -> None:
    rows = [system_health.dead_letter(str(number), now=now) for number in range(4)]
    first = rows[0].pk
    assert run("dead_letters", "redrive", first, "--actor=staff:asha") == "Back to work: 1\n"
    assert run("dead_letters", "redrive", first) == "Back to work: 0. Not dead, or without their address by now: 1\n"
    assert run("dead_letters", "discard", rows[1].pk, "--reason=test") == "Discarded: 1\n"
    assert run("dead_letters", "redrive", "--all", "--rate=60") == "Back to work: 2\n"
    turns = Message.objects.filter(pk__in=[rows[2].pk, rows[3].pk]).values_list("next_attempt_at", flat=True)
    assert sorted(turns) == [now, now + SECOND]
    assert not Message.objects.filter(state=MessageState.DEAD).exists()
    assert Act.objects.filter(actor="staff:asha").count() == 1
    assert "staff:asha  Re-drove a dead letter" in run("dead_letters", "show", first)


@pytest.mark.parametrize(
    "arguments",
    [
        ["redrive"],
        ["redrive", "1", "--all"],
        ["redrive", "--all", "--rate=0"],
        ["discard", "1"],
        ["discard", "1", "--reason= "],
        ["redrive", "x"],
        ["redrive", "{dead}", "999"],
        ["redrive", "{dead}", "--actor=asha"],
        ["redrive", "--all", "--queue=mial"],
    ],
)
def test_a_typing_error_moves_nothing(now: datetime, arguments: list[str]) -> None:
    row = system_health.dead_letter(now=now)
    with pytest.raises(CommandError):
        run("dead_letters", *(argument.format(dead=row.pk) for argument in arguments))
    assert Message.objects.filter(state=MessageState.DEAD).count() == 1
