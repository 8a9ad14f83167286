"""What a process does not load as it starts: it would cost each of them time and memory, unseen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import ROOT

pytestmark = pytest.mark.sqlite_only

OF_THE_WEB = """config.urls backend.desk.forms backend.desk.booking.page backend.ops.admin backend.api.public
    backend.api.staff rest_framework.views rest_framework.serializers drf_spectacular.openapi django.contrib.auth.admin
    django_celery_beat.admin simple_history.admin"""
OF_CELERYS_COMMANDS = "celery.bin click_repl prompt_toolkit flower tornado"
LATE_IN_WEB = "celery kombu unittest django.test psutil segno icalendar prometheus_client webauthn redis rich"
WEB = {
    "a web process": ("import config.web.application", LATE_IN_WEB),
}
SANDBOX = {
    "the sandbox gateway": (
        "import backend.payments.sandbox.__main__ as sandbox; sandbox.settings.DEBUG",
        "django.db.models django.http celery",
    ),
}
CELERY = {  # each goes on where the one before it ended
    "any process": (
        "import django; django.setup()",
        f"""{OF_THE_WEB} django_stubs_ext requests redis anymail.checks webauthn OpenSSL rich phonenumbers boto3
            backend.bookings.lifecycle""",
    ),
    "beat": (
        "from workers import process; process.application('beat').loader.init_worker(); import workers.beat",
        f"{OF_THE_WEB} {OF_CELERYS_COMMANDS} workers.mail workers.timers workers.payments backend.bookings.lifecycle",
    ),
    "the timers' worker": (
        "process.application('timers').loader.import_default_modules()",
        f"{OF_THE_WEB} {OF_CELERYS_COMMANDS} workers.mail workers.payments css_inline icalendar",
    ),
}


@pytest.mark.parametrize("steps", [WEB, SANDBOX, CELERY], ids=["web", "sandbox", "celery"])
def test_no_process_loads_what_it_has_no_use_for(steps: dict[str, tuple[str, str]], tmp_path: Path) -> None:
    """Each step: what it does, and what is not there even then."""
    say = "import json, sys; print(json.dumps(sorted(sys.modules)))"
    lines = said("\n".join(f"{does}\n{say}" for does, _ in steps.values()), tmp_path)
    loaded = [set(json.loads(line)) for line in lines]
    found = {step: names & set(steps[step][1].split()) for step, names in zip(steps, loaded, strict=True)}
    assert found == {step: set() for step in steps}


def test_a_web_process_has_the_pages_that_programs_of_staff_ask_before_anybody_opens_the_desk(tmp_path: Path) -> None:
    look = """
import config.web.application
from backend.api.staff.records.kinds import RECORDS
from django.contrib import admin
from backend.people.models import Corporate, Psychologist
asked = {record.model for record in RECORDS} | {Corporate, Psychologist}
print(sorted(model.__name__ for model in asked if model not in admin.site._registry))
"""
    assert said(look, tmp_path) == ["[]"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is forked")
def test_workers_of_web_are_forked_from_what_is_loaded_and_that_has_opened_nothing(tmp_path: Path) -> None:
    """What a thread or a connection was in the parent, a child would have half of."""
    look = """
import gc, json, sys, threading, multiprocessing
import config.web.__main__ as web
def serve(server):
    from django.db import connections
    opened = [one.connection for one in connections.all()]
    print(json.dumps([multiprocessing.get_start_method(), "config.web.application" in sys.modules,
        gc.isenabled(), gc.get_freeze_count() > 100_000, threading.active_count(), opened]))
web.MPServer.serve = serve
web.main()
"""
    (line,) = said(look, tmp_path)
    assert json.loads(line) == ["fork", True, True, True, 1, [None]]


def said(code: str, folder: Path) -> list[str]:
    """What a process of its own prints; without a database."""
    given = {**os.environ, "VAR_DIR": str(folder), "ENV_FILE": os.devnull, "DATABASE_URL": ""}
    given["DJANGO_SETTINGS_MODULE"] = "config.settings"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=given, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()
