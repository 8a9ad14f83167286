"""Ends what takes too long: each read of a server that drips bytes is in time, and the whole is not."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType


class Watch:
    """Hangs up on a server that still sends after `seconds`. Half a JSON object is no answer."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._is_over = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self.end)
        self._timer.daemon = True

    def __enter__(self) -> Watch:
        _kept.watch = self
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._socket = None  # from now on it may carry another ask
        _kept.watch = None

    def left(self) -> float:
        """Seconds; none or less when it is over."""
        return self._until - time.monotonic()

    def note(self, connected: socket.socket) -> None:
        """This is where the answer comes from."""
        with self._lock:
            self._socket = connected
            self._hang_up()

    def end(self) -> None:
        """Its time is over."""
        with self._lock:
            self._is_over = True
            self._hang_up()

    def _hang_up(self) -> None:
        if self._is_over and self._socket is not None:
            with suppress(OSError):
                # the plain one: that of TLS would take the library's state from under the thread that reads
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def current() -> Watch | None:
    """That of this thread's ask."""
    return _kept.watch


class _Kept(threading.local):
    watch: Watch | None = None


_kept = _Kept()
