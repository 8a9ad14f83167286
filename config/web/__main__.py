"""`python -m config.web`: granian with the options of every deployment, each with its reason."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import sys
from importlib import import_module
from pathlib import Path

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.mp import MPServer  # what `granian.Granian` is, and its types

from backend.core import loading
from config.web import limits

APPLICATION = "config.web.application"
LOGS = Path(__file__).resolve().parents[1] / "granian.json"


def main() -> None:
    """Serves until it is told to stop."""
    with loading.for_good():
        serving = server()
        if sys.platform == "linux":  # elsewhere a process cannot be forked safely, and each loads it by itself
            multiprocessing.set_start_method("fork")
            import_module(APPLICATION)  # once, and each worker shares it
    serving.serve()


def server(target: str = f"{APPLICATION}:application") -> MPServer:
    """HOST, PORT and WEB_WORKERS say where and how many; everything else is the same everywhere."""
    return MPServer(
        target,
        address=os.environ.get("HOST") or "127.0.0.1",
        port=int(os.environ.get("PORT") or 8000),
        workers=int(os.environ.get("WEB_WORKERS") or 2),
        interface=Interfaces.RSGI,  # the one that reads bodies without a thread: docs/decisions/026
        http=HTTPModes.http1,  # HTTP/2 in clear has limits of its own, and no proxy speaks it to us
        http1_settings=HTTP1Settings(
            header_read_timeout=limits.HEAD_WITHIN_MS, max_buffer_size=limits.LONGEST_HEAD_BYTES
        ),
        websockets=False,
        backlog=limits.CONNECTIONS,
        backpressure=_connections(),
        log_dictconfig=json.loads(LOGS.read_text()),
        respawn_failed_workers=True,
        workers_kill_timeout=20,  # seconds; a worker that is still starting does not hear TERM
    )


def _connections() -> int:
    """How many a worker may hold at once: each is a file, and many systems begin with 1,024 of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.CONNECTIONS + limits.OTHER_FILES
    allowed = max(soft, wanted if hard == resource.RLIM_INFINITY else min(wanted, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return min(limits.CONNECTIONS, allowed - limits.OTHER_FILES)


if __name__ == "__main__":
    main()
