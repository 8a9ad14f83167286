"""Where asked for: reports of errors without people, pings that never hurt a timer, Flower behind a password."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
import sentry_sdk
from django.conf import settings as configured
from django.test import Client as Browser
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from backend.core import correlation
from backend.core.errors import Transient
from backend.ops import error_reports
from backend.ops.models import Timer
from config.local import supervision
from tests.support import leaks, scenarios, sentinels
from tests.support.gateway import until
from tests.support.leaks import broken, nothing_in, shout
from tests.support.processes import START_WITHIN, stack
from tests.support.server import ROOT, free_port
from workers import timers
from workers import watchdog as pings

pytestmark = pytest.mark.sqlite_only

# -- reports ----------------------------------------------------------------------------------------------------------


class Kept(Transport):
    """What would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.sent.append(envelope.serialize().decode())

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(text.splitlines()[-1]) for text in self.sent]


@pytest.fixture
def kept() -> Iterator[Kept]:
    transport = Kept()
    error_reports.init_sentry("https://key@sentry.example.org/1", server_name="node", transport=transport)
    yield transport
    sentry_sdk.get_global_scope().set_client(None)


def test_both_are_off_unless_asked_for() -> None:
    assert (configured.SENTRY_DSN, configured.PING_URL) == ("", "")
    assert not sentry_sdk.is_initialized()


@pytest.mark.django_db
@pytest.mark.urls(leaks.__name__)
def test_every_crash_is_reported_once_and_without_those_it_met(kept: Kept, settings: Any) -> None:
    settings.DEBUG = False
    for door in ("/api/refusing/", "/go/refusing/", "/admin/crashing/"):
        body = {"q": sentinels.EMAIL, "token": sentinels.TOKEN}
        Browser(raise_request_exception=False).get(door, body, headers={"cookie": f"sessionid={sentinels.TOKEN}"})
    broken.apply()
    assert len(kept.sent) == 4
    nothing_in(kept.sent)
    for event in kept.events():
        assert [error["type"] for error in event["exception"]["values"]] == ["ValueError", "Planted"]
        assert {"request", "user", "breadcrumbs", "extra", "modules", "contexts"}.isdisjoint(event)
        assert event["tags"]["correlation_id"]
        frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
        assert frames[-1]["function"] == shout.__name__
        assert all("vars" not in frame for frame in frames)


def test_a_report_has_the_templates_words_and_those_of_our_own_errors(kept: Kept) -> None:
    correlation.begin("click-0123456789", task="workers.mail.drain")
    log = logging.getLogger("backend.x")
    log.error("%s could not be told", sentinels.EMAIL)
    log.error("slip of %s" % sentinels.EMAIL)  # noqa: UP031 -- a call that does what it should not
    try:
        raise Transient("SMTP 451")
    except Transient as error:
        log.error("given up", exc_info=error)
    nothing_in(kept.sent)
    first, slip, given_up = kept.events()
    assert first["logentry"] == {"message": "%s could not be told"}
    assert slip["logentry"] == {"message": "slip of [address]"}
    assert given_up["exception"]["values"][0]["value"] == "SMTP 451"
    assert given_up["tags"] == {"correlation_id": "click-0123456789", "task": "workers.mail.drain"}


# -- pings ------------------------------------------------------------------------------------------------------------


class Watchdog(ThreadingHTTPServer):
    """A healthchecks of this test's own."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard: list[str] = []
        self.stalled = threading.Event()
        self.status = 200
        self.url = f"http://127.0.0.1:{self.server_port}/ping/key"


class _Handler(BaseHTTPRequestHandler):
    server: Watchdog

    def do_GET(self) -> None:
        self.server.heard.append(self.path.removeprefix("/ping/key/"))
        while self.server.stalled.is_set():
            threading.Event().wait(0.02)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def watchdog(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watchdog]:
    monkeypatch.setattr(pings, "_told_at", {})
    monkeypatch.setattr(pings, "_silent_until", 0.0)
    server = Watchdog()
    settings.PING_URL = server.url
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.stalled.clear()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.django_db
def test_the_watchdog_hears_start_and_end_of_a_timer_and_seldom_more(watchdog: Watchdog) -> None:
    for _ in range(3):
        timers.lapse_drafts()
    timers.purge_links()
    assert watchdog.heard == ["lapse_drafts/start", "lapse_drafts", "purge_links/start", "purge_links"]


@pytest.mark.django_db
def test_a_run_that_breaks_off_is_always_told(watchdog: Watchdog) -> None:
    timers.purge_links()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            timers.sweeps.purge("purge_links", lambda _now: 1 // 0)
    assert watchdog.heard[2:] == ["purge_links/fail", "purge_links/fail"]


@pytest.mark.django_db
@pytest.mark.parametrize("trouble", ["refuses", "hangs", "is gone"])
def test_a_watchdog_in_trouble_hurts_no_timer(
    trouble: str, watchdog: Watchdog, now: datetime, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(pings, "TIMEOUT", 0.1)
    booking = scenarios.submitted(now=now)
    if trouble == "refuses":
        watchdog.status = 404
    elif trouble == "hangs":
        watchdog.stalled.set()
    else:
        settings.PING_URL = "http://127.0.0.1:1/ping/key"
    timers.lapse_drafts()
    assert Timer.objects.get(pk="lapse_drafts").succeeded_at
    assert scenarios.again(booking).pk
    assert "the watchdog did not hear of lapse_drafts" in caplog.text
    assert "key" not in caplog.text
    timers.purge_links()  # nor is it asked again at once
    assert len(watchdog.heard) == {"refuses": 4, "hangs": 1, "is gone": 0}[trouble]


# -- Flower -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("logins", ["", ":", "ops:", ":hunter2", "hunter2", "ops:secret,:"])
def test_flower_starts_for_nobody_without_a_name_and_a_password(logins: str, tmp_path: Path) -> None:
    given = {**os.environ, "ENV_FILE": os.devnull, "VAR_DIR": str(tmp_path), "FLOWER_BASIC_AUTH": logins}
    ended = subprocess.run(
        [sys.executable, "-m", "workers", "flower"], cwd=ROOT, env=given, capture_output=True, text=True
    )
    assert ended.returncode != 0
    assert "FLOWER_BASIC_AUTH" in ended.stderr.splitlines()[-1]
    assert "hunter2" not in ended.stderr


@pytest.mark.django_db(transaction=True)
def test_flower_lets_in_who_knows_the_password_and_no_supervised_stack_starts_it() -> None:
    pytest.importorskip("flower", reason="requirements.txt is not installed whole")
    assert "flower" not in [name for stage in supervision.stages(with_broker=True) for name in stage.processes]
    with stack(FLOWER_BASIC_AUTH="ops:secret", FLOWER_PORT=str(port := free_port())) as running:
        flower = running.begin("flower")

        def answer(auth: tuple[str, str] | None) -> int:
            assert flower.popen.poll() is None, flower.log()
            try:
                return requests.get(f"http://127.0.0.1:{port}/workers", auth=auth, timeout=5).status_code
            except requests.ConnectionError:
                return 0

        until(lambda: answer(None) == 401, within=START_WITHIN, else_show=flower.log)
        assert answer(("ops", "wrong")) == 401
        assert answer(("ops", "secret")) == 200
        assert "secret" not in " ".join(psutil.Process(flower.pid).cmdline())  # every user of the machine sees these
