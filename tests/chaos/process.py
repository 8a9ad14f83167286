"""One process of the stack, and a supervisor that starts again whatever died, as production's would."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent.parent
RESTART_AFTER = 1.0  # seconds; until then orphans of a killed parent go on beside the others, as they would
LOOK_EVERY = 0.1  # seconds


@dataclass
class Part:
    """A process and whatever it forks, in a group of its own."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    is_wanted: bool = True  # whether the supervisor starts it again
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=dict(self.environment), stdout=out, stderr=out, start_new_session=True
            )

    @property
    def pid(self) -> int:
        """Of the group and of its leader, alive or not."""
        assert self.process is not None
        return self.process.pid

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """`kill -9` of the leader alone."""
        self._signal(signal.SIGKILL)

    def kill_child(self, chosen: random.Random) -> bool:
        """`kill -9` of one of its children. False: it has none just now."""
        with suppress(psutil.NoSuchProcess):
            if children := psutil.Process(self.pid).children(recursive=True):
                chosen.choice(sorted(children, key=lambda child: child.pid)).kill()
                return True
        return False

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def hold(self) -> None:
        """`kill -9`, and keep it down until `release`."""
        self.is_wanted = False
        self.kill()

    def lose(self) -> None:
        """As `hold`, and its children with it: the machine is gone."""
        self.is_wanted = False
        self.end_group()

    def release(self) -> None:
        """The supervisor may start it again."""
        self.is_wanted = True

    def end_group(self) -> None:
        """Leave nothing of it."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self.is_alive():
            os.kill(self.pid, number)


class Supervisor(threading.Thread):
    """Starts again each wanted part that died, a second later and after the end of what it left behind."""

    def __init__(self, parts: Sequence[Part]) -> None:
        super().__init__(daemon=True, name="supervisor")
        self._parts = parts
        self._is_over = threading.Event()
        self._died_at: dict[str, float] = {}

    def run(self) -> None:
        while not self._is_over.wait(LOOK_EVERY):
            for part in self._parts:
                self._look_after(part)

    def stop(self) -> None:
        """And wait: afterwards nothing is started any more."""
        self._is_over.set()
        self.join()

    def _look_after(self, part: Part) -> None:
        if part.is_alive():
            self._died_at.pop(part.name, None)
            return
        died_at = self._died_at.setdefault(part.name, time.monotonic())
        if part.is_wanted and time.monotonic() - died_at >= RESTART_AFTER:
            part.end_group()
            part.start()
