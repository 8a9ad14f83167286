"""Management commands as processes of their own, in an environment of their own."""

from __future__ import annotations

import os
import subprocess
import sys
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
