"""Prometheus' own programs: where they are, and Debian's package when they are nowhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support.server import ROOT

UNPACKED = ROOT / "var" / "prometheus"
PACKAGE = "prometheus"


def found(program: str = "promtool") -> str | None:
    """Its path: on the PATH, or where `fetch` put it."""
    ours = UNPACKED / "usr" / "bin" / program
    return shutil.which(program) or (str(ours) if ours.exists() else None)


def fetch() -> None:
    """Take Debian's package and unpack it into var/: no service is started, and none but its download needs the net.

    Raises RuntimeError with what to do by hand.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)  # apt downloads as a user of its own
        if _download(folder) and os.geteuid() == 0:  # no lists yet, as in a fresh container
            subprocess.run(["apt-get", "update", "-qq"], check=False, capture_output=True)
            _download(folder)
        packages = list(Path(folder).glob("*.deb"))
        if not packages:
            raise RuntimeError("promtool is not here, and apt-get cannot bring it: install Debian's `prometheus`.")
        UNPACKED.mkdir(parents=True, exist_ok=True)
        subprocess.run(["dpkg-deb", "--extract", str(packages[0]), str(UNPACKED)], check=True)


def _download(folder: str) -> int:
    try:
        return subprocess.run(
            ["apt-get", "download", "-qq", PACKAGE], cwd=folder, capture_output=True, check=False
        ).returncode
    except FileNotFoundError:
        return 1


def run(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """`promtool …`; its output is kept together."""
    program = found()
    assert program, "promtool is not here"
    return subprocess.run(
        [program, *arguments], input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
