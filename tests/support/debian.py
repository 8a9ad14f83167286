"""Programs that Debian packages, unpacked into var/ for a check that needs them: nothing is installed or started."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from tests.support.server import ROOT

LIBRARIES = ("usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu")


def fetch(folder: str, *packages: str) -> Path:
    """Unpack these into `var/<folder>`, unless they are there; the path. Only the download needs the net.

    Raises RuntimeError with what to do by hand.
    """
    target = ROOT / "var" / folder
    if not target.exists():
        with tempfile.TemporaryDirectory() as place:
            Path(place).chmod(0o777)  # apt downloads as a user of its own
            if _download(place, packages) and os.geteuid() == 0:  # no lists yet, as in a fresh container
                subprocess.run(["apt-get", "update", "-qq"], check=False, capture_output=True)
                _download(place, packages)
            found = list(Path(place).glob("*.deb"))
            if len(found) < len(packages):
                raise RuntimeError(f"apt-get cannot bring {' and '.join(packages)}: install Debian's packages by hand.")
            target.mkdir(parents=True)
            for package in found:
                subprocess.run(["dpkg-deb", "--extract", str(package), str(target)], check=True)
    return target


def environment(unpacked: Path) -> dict[str, str]:
    """What one of its programs needs to find the libraries that came with it."""
    return {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(str(unpacked / part) for part in LIBRARIES)}


def _download(place: str, packages: tuple[str, ...]) -> int:
    command = ["apt-get", "download", "-qq", *packages]
    try:
        return subprocess.run(command, cwd=place, capture_output=True, check=False).returncode
    except FileNotFoundError:
        return 1
