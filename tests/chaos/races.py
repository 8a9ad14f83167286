"""The races of the test suite, two hundred a side, whose counts become figures."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from tests.chaos import stack as stacks
from tests.chaos.figures import Figure
from tests.chaos.process import ROOT

FILES = (
    "tests/bookings/lifecycle/test_races.py",
    "tests/bookings/lifecycle/test_races_staff.py",
    "tests/bookings/lifecycle/test_races_reschedule.py",
    "tests/bookings/lifecycle/test_races_slots.py",
    "tests/bookings/lifecycle/test_races_receipts.py",
    "tests/api/test_repeats_at_once.py",
)
CROWD = 200  # who want the same at once


def run(environment: Mapping[str, str]) -> list[Figure]:
    """On the storm's PostgreSQL, in a database of their own."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-o",
            "junit_family=xunit1",
            f"--junitxml={report}",
            *FILES,
        ]
        given = {
            name: value for name, value in environment.items() if name not in stacks.DURATIONS | stacks.OTHER_POLICY
        }
        given |= {"TEST_CROWD": str(CROWD), "VAR_DIR": folder, "EMAIL_PROVIDER": ""}
        ended = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True, check=False)
        cases = list(ElementTree.parse(report).iter("testcase")) if report.exists() else []
    figures = [
        Figure(entry.attrib["name"].removeprefix("figure: "), *entry.attrib["value"].split(" of ")[:2])
        for case in cases
        for entry in case.iter("property")
        if entry.attrib["name"].startswith("figure: ")
    ]
    wrong = [
        f"{case.attrib['name']}" for case in cases if case.find("failure") is not None or case.find("error") is not None
    ]
    said = tuple(ended.stdout.splitlines()[-30:])
    return [*figures, Figure("races that failed", str(len(wrong)), "0", ended.returncode == 0, (*wrong, *said))]
