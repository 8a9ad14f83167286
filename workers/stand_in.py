"""The process that works while nobody wakes a worker (`workers/alone.py`), seen from that worker's parent.

A process, no thread: what a thread of the parent opened, its forked children would share.
"""

from __future__ import annotations

import subprocess
import sys

END_WITHIN = 120.0  # seconds: the slowest effect, a mail to a slow server, takes 100


class StandIn:
    """Idle until it is started."""

    def __init__(self, queue: str) -> None:
        self._command = [sys.executable, "-m", "workers.alone", queue]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> bool:
        """Unless it runs. Whether it was started just now; one that died is started again."""
        if self._process is not None and self._process.poll() is None:
            return False
        self._process = subprocess.Popen(self._command)  # noqa: S603 -- words of this module and a queue's name
        return True

    def stop(self, *, within: float = END_WITHIN) -> bool:
        """If it runs: it finishes what it has in hand. Whether there was one."""
        process, self._process = self._process, None
        if process is None:
            return False
        process.terminate()
        try:
            process.wait(within)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return True
