"""A scrape has what the alerts name, as Prometheus wants it."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
import time_machine
from django.test import Client as Browser
from prometheus_client.parser import text_string_to_metric_families

from backend.ops.metrics import exposition
from backend.ops.models import Timer
from backend.ops.snapshot import take_snapshot
from backend.outbox.models import Message, MessageState, Queue
from tests.alerts import promtool, rules
from tests.support import system_health
from tests.support.valkey import Valkey
from workers import mail
from workers.timers import lapse_drafts


@pytest.fixture
def scrape(now: datetime, valkey: Valkey) -> str:
    """Of a system in which something of everything happens."""
    with time_machine.travel(now, tick=False):
        system_health.healthy(now=now)
        system_health.dead_letter("dead", now=now)
        system_health.due_message("owed", now=now)
        system_health.due_message("free", now=now, queue=Queue.PAYMENTS)
        system_health.due_message("kept back", now=now)
        Message.objects.filter(dedupe_key="kept back").update(state=MessageState.SUPPRESSED, settled_at=now)
        valkey.publish(mail.drain, 2)
        with valkey.take("mail"):
            return Browser().get("/metrics").text


@pytest.mark.django_db
def test_what_an_alert_names_is_in_a_scrape(scrape: str) -> None:
    assert rules.unknown(rules.load(), scrape) == []


@pytest.mark.django_db
def test_what_the_dashboard_shows_is_in_a_scrape(scrape: str) -> None:
    panels = json.loads((rules.OPERATIONS / "grafana.json").read_text())["panels"]
    shown = [
        {"alert": panel["title"], "expr": target["expr"]} for panel in panels for target in panel.get("targets", [])
    ]
    assert len(shown) > 20
    missing = [why for rule in shown for why in rules.unknown({"groups": [{"rules": [rule]}]}, scrape)]
    assert missing == []


@pytest.mark.django_db
def test_what_workers_did_is_counted(now: datetime) -> None:
    system_health.due_message("owed", now=now, kind="booking_received")
    Message.objects.update(booking_id=None)  # of no booking, so that it is no longer true
    with time_machine.travel(now, tick=False):
        mail.drain()
        lapse_drafts()
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(exposition(take_snapshot(now=now)).decode())
        for sample in family.samples
    }
    assert found["mindsettler_outbox_attempts_total", "mail", "obsolete"] == 1
    assert found["mindsettler_outbox_attempts_total", "payments", "failed"] == 0
    timer = Timer.objects.get(name="lapse_drafts")
    assert (timer.runs_succeeded, timer.runs_failed, timer.rows_changed) == (1, 0, 0)


@pytest.mark.skipif(not promtool.found(), reason="promtool is not installed: make ops-test brings it")
@pytest.mark.django_db
def test_the_metrics_keep_the_conventions(scrape: str) -> None:
    done = promtool.run("check", "metrics", given=scrape.encode())
    assert (done.returncode, done.stdout.decode()) == (0, "")
