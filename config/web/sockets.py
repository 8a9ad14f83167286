"""The one limit that the server has no option for, set on its listening socket; what that accepts has it from there."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

_OPEN = Path("/proc/self/fd")


def end_unread_answers(within_ms: int) -> None:
    """A client that takes no byte of its answer for so long is cut off: it would hold its connection for ever.

    Linux, tcp(7): TCP_USER_TIMEOUT, also while the window is closed.
    """
    if not hasattr(socket, "TCP_USER_TIMEOUT"):
        return  # macOS, where this is developed and not served
    for listening in _listening():
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, within_ms)


def _listening() -> Iterator[socket.socket]:
    """Of this process: a copy of each, closed again afterwards."""
    for each in _OPEN.iterdir():
        if each.is_socket():
            with socket.socket(fileno=os.dup(int(each.name))) as one:
                if one.family != socket.AF_UNIX and one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    yield one
