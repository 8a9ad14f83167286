"""Pid files of the stack's processes, and the end of those that outlived their supervisor.

A pid alone names nobody: it is used again after its process ended. So a file holds the pid and the start time, and the
same pair stands in the environment of the process and of all its descendants.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from config.local import process_table

MARK = "STACK_PROCESS"  # environment variable
PATIENCE = 5.0  # seconds from TERM to KILL; work cut short comes back when its lease ends


@dataclass(frozen=True)
class Leader:
    """The first process of a process group, as its pid file remembers it."""

    pid: int
    started: str

    @property
    def mark(self) -> str:
        """What stands in the environment of the group's members."""
        return f"{self.pid} {self.started}"

    def is_alive(self) -> bool:
        """Whether this very process runs, and not another one under its pid."""
        return process_table.started(self.pid) == self.started

    def members(self) -> list[int]:
        """The living processes of its group; after the leader's death only those that carry its mark."""
        members = process_table.group(self.pid)
        if self.is_alive():
            return members
        return [pid for pid in members if process_table.environment_holds(pid, f"{MARK}={self.mark}")]


def record(path: Path) -> None:
    """Write the pid file of this process, and mark it and whatever it starts."""
    leader = Leader(os.getpid(), process_table.started(os.getpid()) or "")
    draft = path.with_suffix(".new")
    draft.write_text(f"{leader.pid}\n{leader.started}\n")
    draft.replace(path)
    os.environ[MARK] = leader.mark


def recorded(path: Path) -> Leader | None:
    """Who wrote the pid file; None when there is no such file, or no sense in it."""
    try:
        pid, started, *_ = path.read_text().splitlines()
        return Leader(int(pid), started)
    except (OSError, ValueError):
        return None


def end(leaders: list[Leader], patience: float = PATIENCE) -> int:
    """End what still runs of these groups: TERM to each leader, KILL to all that remains. Returns how many ran."""
    running = [leader for leader in leaders if leader.members()]
    for leader in running:
        # The leader ends its own children in good order; without one, each member is told
        _signal([leader.pid] if leader.is_alive() else leader.members(), signal.SIGTERM)
    _wait_for(running, patience)
    for leader in running:
        _signal(leader.members(), signal.SIGKILL)
    _wait_for(running, patience)
    return len(running)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _wait_for(leaders: list[Leader], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(leader.members() for leader in leaders) and time.monotonic() < deadline:
        time.sleep(0.05)
