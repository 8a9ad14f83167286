"""The one limit that the server has no option for, set on its listening socket; what that accepts has it from there."""

from __future__ import annotations

import os
import socket

import psutil


def end_unread_answers(within_ms: int) -> None:
    """A client that takes no byte of its answer for so long is cut off: it would hold its connection for ever.

    Linux, tcp(7): TCP_USER_TIMEOUT, also while the window is closed.
    """
    if not hasattr(socket, "TCP_USER_TIMEOUT"):
        return  # macOS, where this is developed and not served
    for connection in psutil.Process().net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN:
            with socket.socket(fileno=os.dup(connection.fd)) as listening:
                listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, within_ms)
