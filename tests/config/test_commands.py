"""Commands that start processes end them when they are told to end."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.support.server import ROOT

pytestmark = pytest.mark.sqlite_only
PROGRAMS = sorted((ROOT / "tests").glob("*/__main__.py"))
STARTS_ONE = """
import subprocess, sys
from config.local.console import end_in_order
end_in_order()
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
try:
    print(child.pid, flush=True)
    child.wait()
finally:
    child.kill()
    child.wait()
"""


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.parent.name)
def test_each_program_of_the_tests_ends_in_order(program: Path) -> None:
    assert any(f"    {name}()\n" in program.read_text() for name in ("end_in_order", "end_pytest_in_order"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_who_is_told_to_end_takes_along_what_it_started(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", STARTS_ONE], cwd=ROOT, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        child = int(program.stdout.readline())
        program.send_signal(number)
        assert program.wait(20) == 128 + number
    until = time.monotonic() + 10
    while psutil.pid_exists(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not psutil.pid_exists(child)
