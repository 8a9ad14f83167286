"""What the operating system tells of processes: from /proc where there is one (`ps` may be missing), else from `ps`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_HAS_PROC = (_PROC / "self/stat").exists()


def started(pid: int) -> str | None:
    """When the process started, in the system's own words: with the pid it names one process. None when it is gone."""
    if _HAS_PROC:
        fields = _stat(pid)
        return fields[19] if fields and fields[0] != "Z" else None  # clock ticks since boot
    words = _ps("-o", "stat=,lstart=", "-p", str(pid)).split(maxsplit=1)
    return words[1].strip() if len(words) == 2 and not words[0].startswith("Z") else None


def group(pgid: int) -> list[int]:
    """The living processes of a process group."""
    return [pid for pid, pgid_of_it, state in _all() if pgid_of_it == pgid and not state.startswith("Z")]


def environment_holds(pid: int, entry: str) -> bool:
    """Whether the process was started with the environment entry `NAME=value`; False when we may not know."""
    if not _HAS_PROC:
        return f" {entry} " in _ps("eww", "-o", "command=", "-p", str(pid)).replace("\n", " ") + " "
    try:
        return entry.encode() in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _all() -> Iterator[tuple[int, int, str]]:
    """Pid, process group and state of every process."""
    if _HAS_PROC:
        for folder in _PROC.glob("[0-9]*"):
            if fields := _stat(int(folder.name)):
                yield int(folder.name), int(fields[2]), fields[0]
        return
    for line in _ps("-A", "-o", "pid=,pgid=,stat=").splitlines():
        pid, pgid, state = line.split()
        yield int(pid), int(pgid), state


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from `state` on; the name before them may itself hold spaces and brackets."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False).stdout  # noqa: S603, S607 -- fixed words and numbers; where ps lives differs
