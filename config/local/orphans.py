"""The end of processes that outlived their supervisor, found by what stands in their environment.

A pid file may lie, since a pid is used again. The environment does not: each process of the stack is started with its
name and its folder, and all that it starts inherits both.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

import psutil

MARK = "STACK_PROCESS"  # environment variable: the process's name; VAR_DIR beside it says of which stack
PATIENCE = 5.0  # seconds from TERM to KILL; work cut short comes back when its lease ends


def running(var: Path, name: str = "") -> list[psutil.Process]:
    """The living processes of the stack in this folder, or those of one name there; never the caller itself.

    A zombie has no environment any more, and a process that is not ours shows none: both stay out.
    """
    return [
        process
        for process in psutil.process_iter(["environ", "ppid"])
        if (environment := process.info["environ"])
        and environment.get("VAR_DIR") == str(var)
        and (environment.get(MARK) == name if name else MARK in environment)
        and process.pid != os.getpid()
    ]


def end(var: Path, name: str = "", patience: float = PATIENCE) -> int:
    """End them: TERM to each that has no parent among them, KILL to all that remains. Returns how many ran.

    A parent ends its own children in good order, so they are told only when it is gone.
    """
    found = running(var, name)
    pids = {process.pid for process in found}
    for process in found:
        if process.info["ppid"] not in pids:  # as it was: one that has lost its parent since is told by it
            with suppress(psutil.NoSuchProcess):
                process.terminate()
    _wait(var, name, patience)
    for process in running(var, name):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _wait(var, name, patience)
    return len(found)


def _wait(var: Path, name: str, seconds: float) -> None:
    """Not psutil's own wait: it would wait for a zombie whose parent does not care."""
    deadline = time.monotonic() + seconds
    while running(var, name) and time.monotonic() < deadline:
        time.sleep(0.05)
