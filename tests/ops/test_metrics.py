"""A scrape has what the alerts name, as Prometheus wants it."""

from __future__ import annotations

from datetime import datetime

import pytest
import time_machine
from django.test import Client as Browser

from backend.outbox.models import Message, MessageState, Queue
from tests.alerts import promtool, rules
from tests.support import system_health
from tests.support.valkey import Valkey
from workers import mail


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


@pytest.mark.skipif(not promtool.found(), reason="promtool is not installed: make ops-test brings it")
@pytest.mark.django_db
def test_the_metrics_keep_the_conventions(scrape: str) -> None:
    done = promtool.run("check", "metrics", given=scrape.encode())
    assert (done.returncode, done.stdout.decode()) == (0, "")
