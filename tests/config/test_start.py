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


@pytest.mark.parametrize("steps", [SANDBOX, CELERY], ids=["sandbox", "celery"])
def test_no_process_loads_what_it_has_no_use_for(steps: dict[str, tuple[str, str]], tmp_path: Path) -> None:
    """Each step: what it does, and what is not there even then."""
    say = "import json, sys; print(json.dumps(sorted(sys.modules)))"
    given = {**os.environ, "VAR_DIR": str(tmp_path), "ENV_FILE": os.devnull, "DATABASE_URL": ""}
    given["DJANGO_SETTINGS_MODULE"] = "config.settings"
    code = "\n".join(f"{does}\n{say}" for does, _ in steps.values())
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=given, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    loaded = [set(json.loads(line)) for line in ended.stdout.splitlines()]
    found = {step: names & set(steps[step][1].split()) for step, names in zip(steps, loaded, strict=True)}
    assert found == {step: set() for step in steps}
