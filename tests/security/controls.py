"""The tests of docs/security/controls.md, in production settings on PostgreSQL and Redis."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys

from config.local import keys
from config.local.check import DEPLOYED
from tests.support import whole_table
from tests.support.server import ROOT

PAGE = ROOT / "docs" / "security" / "controls.md"
WANTED = "TEST_CONTROLS"  # the variable with the tests that must pass, one a line
SANDBOX = {"PAYMENT_GATEWAY": "sandbox", "ALLOW_SANDBOX_PAYMENTS": "1", "SANDBOX_SECRET": secrets.token_hex(16)}
TEST = re.compile(r"`(tests/[^`]+\.py::test_\w+)`")


def listed() -> list[str]:
    """One or more a row, each once. Raises RuntimeError for a row without."""
    rows = [
        line for line in PAGE.read_text().splitlines() if line.startswith("| ") and not line.startswith("| Threat ")
    ]
    without = [row for row in rows if not TEST.search(row)]
    if without:
        raise RuntimeError("A control without a test:\n" + "\n".join(without))
    return sorted({name for row in rows for name in TEST.findall(row)})


def run(database: str, broker: str) -> bool:
    """Whether each was run and passed."""
    names = listed()
    given = {**os.environ, **keys.generate(), **DEPLOYED, "ENV_FILE": os.devnull, WANTED: "\n".join(names)}
    given[whole_table.VARIABLE] = "1"
    given |= {"DATABASE_URL": database, "REDIS_URL": broker, "DEBUG": "", "VAR_DIR": "var/security"} | SANDBOX
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.security.production", "-n", "3", *names]
    return subprocess.run(command, cwd=ROOT, env=given, check=False).returncode == 0
