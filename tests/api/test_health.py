"""Health by HTTP: the database decides readiness, everything else is named; strict readiness refuses on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
import time_machine
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client as Browser
from django.test import RequestFactory
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from backend.api import probes
from backend.ops import pending_migrations, static_files
from backend.ops.health import SILENT_AFTER, STALE_AFTER
from backend.ops.models import ProcessRole
from backend.outbox import messages
from backend.outbox.models import Queue
from tests.support import log_lines, scenarios, system_health
from tests.support.server import web_server
from tests.support.valkey import Valkey
from workers import mail

SECOND = timedelta(seconds=1)
LOOPBACK = "127.0.0.1"


@pytest.fixture
def at(now: datetime) -> Iterator[datetime]:
    """The clock stands."""
    with time_machine.travel(now, tick=False):
        yield now


def ready(query: str = "") -> tuple[int, dict[str, object]]:
    response = Browser().get(f"/readyz{query}")
    assert response["Cache-Control"].startswith("max-age=0")
    return response.status_code, response.json()


def test_an_instance_lives_without_asking_anybody() -> None:
    """No mark: a query would fail this test, and so would the broker, which is not there."""
    response = Browser().get("/livez")
    assert (response.status_code, response.json()) == (200, {"status": "alive"})


@pytest.fixture
def static_root(settings: Any, tmp_path: Path) -> Iterator[Path]:
    """The folder of a machine's own, for a release with one static file, of two bytes."""
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "desk.css").write_text("a{")
    settings.WHITENOISE_USE_FINDERS = False  # as without DEBUG
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATICFILES_DIRS = [tmp_path / "release"]
    settings.STATIC_ROOT = tmp_path
    static_files.are_collected.cache_clear()
    yield tmp_path
    static_files.are_collected.cache_clear()


@pytest.mark.django_db
@pytest.mark.sqlite_only
@pytest.mark.parametrize("text", ["a{", "a{old", None])
def test_a_machine_is_ready_with_the_static_files_of_its_release_alone(
    text: str | None, static_root: Path, at: datetime, valkey: Valkey
) -> None:
    if text is not None:
        (static_root / "desk.css").write_text(text)
    system_health.healthy(now=at)
    missing = [] if text == "a{" else ["static-files"]
    assert ready() == (
        503 if missing else 200,
        {"status": "unavailable" if missing else "ready", "unavailable": missing, "degraded": []},
    )


@pytest.mark.django_db
def test_a_healthy_system_is_ready(at: datetime, valkey: Valkey) -> None:
    system_health.healthy(now=at)
    assert ready() == (200, {"status": "ready", "unavailable": [], "degraded": []})
    assert ready("?strict=1")[0] == 200


@pytest.mark.sqlite_only
@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/livez/", "/readyz/", "/metrics/"])
def test_a_slash_at_the_end_is_forgiven(path: str) -> None:
    assert Browser().get(path).status_code == 200


def make_unwell(component: str, now: datetime) -> None:
    match component.split("-"):
        case ["beat"]:
            system_health.silent(ProcessRole.BEAT, SILENT_AFTER + SECOND)
        case ["worker", role]:
            system_health.silent(ProcessRole(role), SILENT_AFTER + SECOND)
        case ["canary", queue]:
            system_health.stale(ProcessRole(queue), STALE_AFTER + SECOND)
        case ["outbox", queue]:
            messages.pause(Queue(queue), by="staff:asha", reason="x", now=now)
        case _:
            system_health.late("lapse_drafts", timedelta(hours=1))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "component", ["beat", "worker-mail", "worker-timers", "canary-payments", "outbox-mail", "timers"]
)
def test_bookings_go_on_when_this_is_unwell_and_strict_readiness_refuses(
    component: str,
    at: datetime,
    valkey: Valkey,
) -> None:
    system_health.healthy(now=at)
    make_unwell(component, at)
    expected = {"status": "degraded", "unavailable": [], "degraded": [component]}
    assert ready() == (200, expected)
    assert ready("?strict=0") == (200, expected)
    with log_lines.collected() as lines:
        assert ready("?strict=1") == (503, expected)
    assert f"not ready: {component}" in lines.events()


@pytest.mark.django_db
def test_a_dead_letter_or_an_overdue_booking_is_no_degradation(at: datetime, valkey: Valkey) -> None:
    system_health.healthy(now=at)
    system_health.dead_letter(now=at)
    assert ready("?strict=1")[0] == 200


@pytest.mark.sqlite_only
@pytest.mark.django_db
def test_a_broker_that_is_frozen_costs_less_than_a_second(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    """A load balancer that waits longer takes this instance away. Judged is for what we wait, and how long."""
    system_health.healthy(now=timezone.now())
    waits: list[float] = []
    kind = redis.connection.AbstractConnection
    read = kind.read_response
    monkeypatch.setattr(
        kind,
        "read_response",
        lambda self, *given, **how: waits.append(self.socket_timeout) or read(self, *given, **how),
    )
    with valkey.frozen():
        status, said = ready()
        assert 0 < sum(waits) < 1
        assert (status, said["degraded"]) == (200, ["broker"])
        assert ready("?strict=1")[0] == 503
    assert ready()[1]["degraded"] == []


@pytest.mark.django_db
def test_pending_migrations_refuse_requests() -> None:
    assert pending_migrations.pending() == ()
    MigrationRecorder(connection).record_unapplied("outbox", "0001_initial")
    status, said = ready()
    assert (status, said["status"], said["unavailable"]) == (503, "unavailable", ["migrations"])


@pytest.mark.sqlite_only  # the server has a database of its own
@pytest.mark.django_db
def test_a_database_that_is_gone_refuses_requests() -> None:
    with web_server(DATABASE_URL="postgresql://app:hidden@127.0.0.1:1/gone") as url:
        refused = requests.get(f"{url}/readyz", timeout=20)
        assert (refused.status_code, refused.json()["unavailable"]) == (503, ["database"])
        assert requests.get(f"{url}/livez", timeout=20).status_code == 200
        told = requests.get(f"{url}/metrics", timeout=20)
        assert told.status_code == 200
        assert "mindsettler_database_up 0.0" in told.text
        assert "hidden" not in refused.text + told.text


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_health_needs_no_https_and_only_reads(path: str, settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert Browser().get(path).status_code == 200
    assert Browser().get("/go/cancel/").status_code == 301
    assert Browser().post(path).status_code == 405


# -- metrics


def scrape(**options: object) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Sample values by metric and labels."""
    response = Browser().get("/metrics", **options)
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(response.text)
    return {f.name: {tuple(sorted(s.labels.items())): s.value for s in f.samples} for f in families}


@pytest.mark.django_db
def test_metrics_say_what_the_snapshot_says(at: datetime, valkey: Valkey) -> None:
    system_health.healthy(now=at)
    system_health.dead_letter(now=at)
    system_health.silent(ProcessRole.BEAT, SILENT_AFTER + SECOND)
    scenarios.submitted(now=at)
    valkey.publish(mail.drain)
    found = scrape()
    assert found["mindsettler_database_up"] == {(): 1}
    assert found["mindsettler_broker_up"] == {(): 1}
    assert found["mindsettler_broker_evicts"] == {(): 0}
    assert found["mindsettler_celery_messages"][("queue", "mail"), ("state", "ready")] == 1
    assert found["mindsettler_outbox_messages"][("queue", "mail"), ("state", "dead")] == 1
    assert found["mindsettler_process_up"][("process", "beat@test"), ("role", "beat")] == 0
    assert found["mindsettler_processes_alive"][(("role", "beat"),)] == 0
    assert found["mindsettler_beat_tick_timestamp_seconds"][()] == (at - SILENT_AFTER - SECOND).timestamp()
    assert found["mindsettler_canary_stale"][(("queue", "mail"),)] == 0
    assert found["mindsettler_timer_state"][("state", "up"), ("timer", "lapse_drafts")] == 1
    assert found["mindsettler_bookings"][(("state", "DRAFT"),)] == 1
    assert found["mindsettler_mails_last_day"][("result", "dead"), ("template", "booking_approved")] == 1
    assert found["mindsettler_refunds"][(("state", "due"),)] == 0
    assert found["mindsettler_payments_oldest_open_seconds"] == {(): 0}
    assert found["mindsettler_outbox_oldest_message_age_seconds"][("queue", "mail"), ("state", "dead")] == 0


@pytest.mark.django_db
def test_no_metric_names_a_person_or_a_row(at: datetime, valkey: Valkey) -> None:
    system_health.healthy(now=at)
    booking = scenarios.confirmed(now=at)
    text = Browser().get("/metrics").text
    for private in (booking.email, booking.full_name, booking.acknowledgement_id, "example.org"):
        assert private not in text
    labels = set(re.findall(r'[{,](\w+)="', text))
    assert labels <= {
        "queue",
        "state",
        "kind",
        "process",
        "role",
        "timer",
        "result",
        "rule",
        "template",
        "provider",
        "delivery",
        "channel",
    }


@pytest.mark.sqlite_only
@pytest.mark.django_db
def test_a_scrape_never_reads_a_queue(valkey: Valkey) -> None:
    """However long it is: the broker sends the same few bytes, and no command that walks."""
    valkey.publish(mail.drain)
    [element] = valkey.client.lrange("mail", 0, -1)

    def sent_bytes() -> int:
        before = valkey.client.info("stats")["total_net_output_bytes"]
        scrape()
        return valkey.client.info("stats")["total_net_output_bytes"] - before

    short = sent_bytes()
    valkey.client.lpush("mail", *[element] * 20_000)
    valkey.client.config_resetstat()
    assert sent_bytes() < short + 1000
    used = {name.removeprefix("cmdstat_") for name in valkey.client.info("commandstats")}
    assert used <= {"llen", "lindex", "zrange", "hmget", "info", "config|resetstat", "select", "hello", "ping", "set"}
    assert scrape()["mindsettler_celery_messages"][("queue", "mail"), ("state", "ready")] == 20_001


@pytest.mark.sqlite_only
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("203.0.113.7", {}, 403),
        ("", {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 403),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, 403),
    ],
)
def test_without_a_token_only_the_machine_itself_reads_metrics(
    address: str, headers: dict[str, str], status: int
) -> None:
    request = RequestFactory().get("/metrics", headers=headers, REMOTE_ADDR=address)
    assert probes.prometheus_metrics(request).status_code == status


@pytest.mark.sqlite_only
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "status"),
    [("Bearer secret", 200), ("Bearer other", 403), ("secret", 403), ("Bearer s\u00e9", 403), ("", 403)],
)
def test_with_a_token_only_its_bearer_reads_metrics(given: str, status: int, settings) -> None:
    settings.METRICS_TOKEN = "secret"
    headers = {"Authorization": given} if given else {}
    request = RequestFactory().get("/metrics", headers=headers, REMOTE_ADDR=LOOPBACK)
    assert probes.prometheus_metrics(request).status_code == status
