"""Where the last table is kept: docs/speed.md, a block a row, each with its day and machine."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

from tests.support.server import ROOT

KEPT = ROOT / "docs" / "speed.md"


def machine() -> str:
    """What it was measured on, and what else went on there."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text()) if _is_linux() else None
    name = model[1] if model else platform.machine()
    return f"{os.cpu_count()} × {name}, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} at its begin"


def _is_linux() -> bool:
    return platform.system() == "Linux"


def keep(row: str, table: str, path: Path = KEPT) -> None:
    """In place of the row's earlier one. Raises RuntimeError if the page has no place for it."""
    block = re.compile(rf"(<!-- measured: {row} -->\n).*?(<!-- end -->)", re.DOTALL)
    said = f"{datetime.now(UTC):%d %B %Y}; {machine()}\n\n{table}\n"
    text, found = block.subn(lambda match: f"{match[1]}{said}{match[2]}", path.read_text())
    if not found:
        raise RuntimeError(f"{path.name} has no block for {row}")
    path.write_text(text)
