"""The sandbox gateway on the clock of the year: `python -m tests.simulate.gateway` reads where it stands, line by line.

A process of its own, so that its CPU is not ours. It reports nothing: what it captured is asked for.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import urlsplit

import time_machine
from django.conf import settings

from backend.payments.sandbox.server import SandboxServer
from backend.payments.sandbox.store import Store
from tests.support.server import ROOT


@contextmanager
def running(environment: Mapping[str, str] | None = None) -> Iterator[Callable[[datetime], None]]:
    """What tells it the time; it serves from the first time on."""
    command, pipe = [sys.executable, "-m", "tests.simulate.gateway"], subprocess.PIPE
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    asks, answers = process.stdin, process.stdout

    def tell(now: datetime) -> None:
        asks.write(f"{now.isoformat()}\n")
        asks.flush()
        if not answers.readline():
            raise RuntimeError("the gateway ended")

    try:
        yield tell
    finally:
        process.terminate()
        process.communicate()


def main() -> None:
    """Until its standard input ends."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    store, url = Store(settings.VAR_DIR / "sandbox.sqlite3"), urlsplit(settings.SANDBOX_URL)
    server = SandboxServer((url.hostname or "127.0.0.1", url.port or 80), store, settings.SANDBOX_SECRET)
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    first = datetime.fromisoformat(sys.stdin.readline().strip())
    with time_machine.travel(first, tick=False) as clock:
        _answer()
        for line in sys.stdin:
            clock.move_to(datetime.fromisoformat(line.strip()))
            _answer()


def _answer() -> None:
    sys.stdout.write("here\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
