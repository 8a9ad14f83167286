"""Prometheus' own programs: where they are, and Debian's package when they are nowhere."""

from __future__ import annotations

import shutil
import subprocess

from tests.support import debian
from tests.support.server import ROOT

UNPACKED = ROOT / "var" / "prometheus"


def found(program: str = "promtool") -> str | None:
    """Its path: on the PATH, or where `fetch` put it."""
    ours = UNPACKED / "usr" / "bin" / program
    return shutil.which(program) or (str(ours) if ours.exists() else None)


def fetch() -> None:
    """Take Debian's package. Raises RuntimeError with what to do by hand."""
    debian.fetch("prometheus", "prometheus")


def run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """`promtool …`; its output is kept together."""
    program = found()
    assert program, "promtool is not here"
    return subprocess.run(
        [program, *arguments], input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
