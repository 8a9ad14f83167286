"""CPU and memory of processes with all that they started, the ended included."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

import psutil


def tree(pid: int) -> Iterator[psutil.Process]:
    """The process and all below it."""
    with suppress(psutil.NoSuchProcess):
        leader = psutil.Process(pid)
        yield leader
        yield from leader.children(recursive=True)


def cpu_of(pid: int) -> float:
    """Seconds, user's and system's. What has ended counts where its parent waited for it: PostgreSQL's backends do."""
    total = 0.0
    for process in tree(pid):
        with suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])  # own, and that of children who ended
    return total


def pss_of(pid: int) -> float:
    """MB that are a process's alone, and its share of what it has in common with others; of all below it, too."""
    total = 0.0
    for process in tree(pid):
        with suppress(psutil.NoSuchProcess):
            total += process.memory_full_info().pss
    return total / 1e6


def took_ms(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Milliseconds, of the clock or of what else counts seconds."""
    began = clock()
    work()
    return 1000 * (clock() - began)


class CpuMeter:
    """What groups of processes spend from now on."""

    def __init__(self, **groups: Sequence[int]) -> None:
        self._groups: Mapping[str, Sequence[int]] = groups
        self._before = self._read()

    def _read(self) -> dict[str, float]:
        return {name: sum(cpu_of(pid) for pid in pids) for name, pids in self._groups.items()}

    def spent(self) -> dict[str, float]:
        """Seconds of each group."""
        return {name: now - self._before[name] for name, now in self._read().items()}
