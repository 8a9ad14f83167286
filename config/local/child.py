"""Starts one process of the stack in place of itself: `python -m config.local.child NAME`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from config.local import broker, orphans, procfile

BROKER = "broker"
PAUSE = 1.0  # seconds between two starts of one process, so that one that cannot start does not eat a processor


def main(name: str) -> None:
    """End what a killed predecessor left behind, keep the pace, and become the process."""
    var = Path(os.environ["VAR_DIR"])
    orphans.end(var, name)
    stamp = var / "run" / f"{name}.started"
    before = stamp.stat().st_mtime if stamp.exists() else 0.0
    stamp.touch()
    time.sleep(min(PAUSE, max(0.0, before + PAUSE - time.time())))
    command = broker.command() if name == BROKER else ["/bin/sh", "-c", f"exec {procfile.processes()[name]}"]
    os.execv(command[0], command)  # noqa: S606 -- our own Procfile, or the wheel's server


if __name__ == "__main__":
    main(sys.argv[1])
