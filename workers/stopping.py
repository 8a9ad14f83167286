"""Stopping between two effects: the worker learns that it should stop, and finishes what is in hand first."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_bool
from multiprocessing.sharedctypes import RawValue
from types import FrameType


class Stopping:
    """Whether to begin nothing more. Made before the pool forks, so that the children see what their parent learns.

    Without a lock: a child that is killed while it looks would leave the lock locked, for its siblings and its parent.
    """

    def __init__(self) -> None:
        self._worker = RawValue(c_bool, False)
        self._told: int | None = None  # this process, by which signal

    def set(self) -> None:
        """The whole worker stops."""
        self._worker.value = True

    def clear(self) -> None:
        """The next worker in this process begins anew; of use to tests alone."""
        self._worker.value = False

    def is_set(self) -> bool:
        """Asked before each effect."""
        return self._worker.value or self._told is not None

    @contextmanager
    def deferred(self, *signals: int) -> Iterator[None]:
        """A TERM that reaches this process takes effect at the end of the block, and makes `is_set` true till then.

        So do other `signals`, if they are named in its stead.

        Supervisors may tell the whole group, as systemd does by default, and Celery's handler would have this process
        leave in the middle of a mail: sent, not settled, so sent again.
        """
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread gets signals
            return
        usual = {number: signal.signal(number, self._note) for number in signals or (signal.SIGTERM,)}
        try:
            yield
        finally:
            for number, handler in usual.items():
                signal.signal(number, handler)
            told, self._told = self._told, None
            if told is not None and not self._worker.value:  # else the parent, which stops, ends it after its task
                os.kill(os.getpid(), told)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._told = number


stopping = Stopping()
