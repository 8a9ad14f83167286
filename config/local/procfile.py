"""The Procfile: the one list of what runs, in production and here."""

from __future__ import annotations

import re
from pathlib import Path

PATH = Path(__file__).resolve().parents[2] / "Procfile"
_LINE = re.compile(r"([A-Za-z0-9_-]+):\s*(\S.*)")


ON_DEMAND = ("flower",)  # what no stack needs


def processes(path: Path = PATH) -> dict[str, str]:
    """Name and shell command of every long-running process; `release` is a step, not a process."""
    lines = (_LINE.fullmatch(line.strip()) for line in path.read_text().splitlines())
    return {line[1]: line[2] for line in lines if line and line[1] != "release"}
