"""A short storm over the real processes, with a seed of its own: nothing is lost, nothing is done twice.

It costs as much as a twentieth of all tests, so it runs with `make chaos`, before the long one.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.db import connection

from tests.support import migrated
from tests.support.server import ROOT

pytestmark = [pytest.mark.postgres_only, pytest.mark.stacks]

SEED = "65"  # kills a worker and a child, beat and Redis; the provider drops what it accepted


@pytest.mark.timeout(420)
@pytest.mark.django_db
def test_nothing_is_lost_and_nothing_done_twice_in_a_short_storm() -> None:
    command = [sys.executable, "-m", "tests.chaos", "--short", "--seed", SEED]
    if connection.vendor == "sqlite":
        command.append("--sqlite")
    elif migrated.kept_dump().exists():
        command += ["--dump", str(migrated.kept_dump())]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
