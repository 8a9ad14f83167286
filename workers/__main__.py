"""Starts one Celery process: `python -m workers mail|payments|calls|timers|beat|flower`."""

from __future__ import annotations

import logging
import logging.config
import os
import signal
import sys
import time
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from django.conf import settings

from workers import process
from workers.dependencies import BROKER, DEPENDENCIES, Dependency
from workers.hearing import ALONE_AFTER
from workers.process import BEAT
from workers.stand_in import StandIn
from workers.wake_ups import QUEUES

FLOWER = "flower"
CELERY = ("-m", "celery", "--quiet", "-A", "workers.app")  # its banner is no line of the log
SAY_EVERY = 60.0  # seconds
logger = logging.getLogger("workers")


def main(arguments: Sequence[str]) -> int:
    """The exit code: of the process, or of arguments that are refused."""
    if arguments == [FLOWER] and not _is_guarded():
        sys.stderr.write("FLOWER_BASIC_AUTH is not set; Flower shows what workers do, so it needs `name:password`.\n")
        return 2
    if len(arguments) == 1 and arguments[0] in (*QUEUES, BEAT, FLOWER):
        return become(arguments[0])
    sys.stderr.write(f"usage: python -m workers {'|'.join([*QUEUES, BEAT, FLOWER])}\n")
    return 2


def _is_guarded() -> bool:
    """Whether every login has a name and a password; Flower would take `:` as one without either."""
    logins = settings.FLOWER_BASIC_AUTH
    return bool(logins) and all(all(login.partition(":")[::2]) for login in logins)


def become(name: str) -> int:
    """Wait for what the process needs, then be it; its exit code."""
    logging.config.dictConfig(settings.LOGGING)
    signal.signal(signal.SIGTERM, _leave)
    stand_in = StandIn(name) if name in QUEUES else None
    try:
        for need in DEPENDENCIES:
            wait_for(need, stand_in if need is BROKER else None)
    finally:
        if stand_in is not None:
            stand_in.stop()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if name == FLOWER:  # it reads FLOWER_BASIC_AUTH itself: on the command line every user of the machine would see it
        where = (f"--address={settings.FLOWER_ADDRESS}", f"--port={settings.FLOWER_PORT}")
        os.execv(sys.executable, [sys.executable, *CELERY, "flower", *where])  # noqa: S606 -- words of this module
    return process.run(name)


def wait_for(need: Dependency, stand_in: StandIn | None = None) -> None:
    """Return once it answers; asked every second, spoken of once a minute. The stand-in works meanwhile."""
    began, spoke_at = time.monotonic(), float("-inf")
    while trouble := need.trouble():
        if time.monotonic() - spoke_at >= SAY_EVERY:
            logger.warning("Waiting: %s", trouble)
            spoke_at = time.monotonic()
        if stand_in is not None and time.monotonic() - began >= ALONE_AFTER:
            stand_in.start()
        time.sleep(1)


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["DATABASE_POOL"] = "0"  # a process of the pool has one thread, and forks must not share connections
    sys.exit(main(sys.argv[1:]))
