"""What a command shares with the next: its words reach who waits at once, and it ends in order when it is told to."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn


def say(text: str) -> None:
    """A line for whoever started the command, also where its output goes to a file."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def end_in_order() -> None:
    """A signal that asks the command to end unwinds it, so that it stops what it started; by default it would not."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)


def end_pytest_in_order() -> None:
    """The same where pytest runs in this process: it unwinds at KeyboardInterrupt, and SystemExit fails a test."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
