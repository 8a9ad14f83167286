"""Management commands as processes of their own, in an environment of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def start(tmp_path: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`manage.py check`, or another command, in an environment of its own."""
    given = {**os.environ, "VAR_DIR": str(tmp_path), "ENV_FILE": os.devnull, "DATABASE_URL": "", **variables}
    return subprocess.run(
        [sys.executable, "manage.py", *(command or ("check",))],
        cwd=ROOT,
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )


EACH = """
import json, os, sys, traceback
import cryptography.fernet, dj_database_url, django.core.validators, dotenv
from backend.core.environment import Misconfigured
from django.conf import settings
names, each = json.load(sys.stdin)
for variables in each:
    read, write = os.pipe()
    if os.fork() == 0:
        os.environ.update(variables)
        try:
            settings.DEBUG
            import backend.bookings.policy
            said = " ".join(str(getattr(settings, name)) for name in names)
        except Misconfigured as error:
            said = str(error)
        except Exception:
            said = traceback.format_exc()
        os.write(write, said.encode()[:4000])
        os._exit(0)
    os.close(write)
    print(json.dumps(os.fdopen(read).read()))
    os.wait()
"""


def refusals(tmp_path: Path, given: Iterable[tuple[str, str]]) -> list[str]:
    """What the settings say of each of these variables alone, empty if nothing."""
    return settings_with(tmp_path, [{name: value} for name, value in given])


def settings_with(tmp_path: Path, given: Iterable[Mapping[str, str]], *names: str) -> list[str]:
    """Each time: the named settings, Django's too, or else what they refuse. One interpreter, a fork for each."""
    ended = subprocess.run(
        [sys.executable, "-c", EACH],
        cwd=ROOT,
        env={**os.environ, "VAR_DIR": str(tmp_path), "ENV_FILE": os.devnull, "DATABASE_URL": ""},
        input=json.dumps([names, list(given)]),
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in ended.stdout.splitlines()]
