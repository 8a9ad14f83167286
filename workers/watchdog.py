"""Tells a watchdog outside, where PING_URL is set, that a timer starts, came to its end, or broke off.

The watchdog misses a timer that is silent, which nothing inside can do once everything is down. Healthchecks' way:
https://healthchecks.io/docs/http_api/ (`/start`, nothing, `/fail`); each timer is a check whose slug is its name.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from django.conf import settings

log = logging.getLogger(__name__)

TIMEOUT = 1.0  # seconds to connect, and again to answer: a timer waits that long at most, and then not for PAUSE
PAUSE = 60.0  # seconds without pings after one that failed: a watchdog that is down must not slow every sweep
_told_at: dict[str, float] = {}
_silent_until = 0.0


@contextmanager
def around(timer: str) -> Iterator[None]:
    """Wraps a run, outside any transaction. Good runs are reported at most every PING_EVERY, failures always."""
    is_told = bool(settings.PING_URL) and _is_due(timer)
    if is_told:
        _ping(timer, "/start")
    try:
        yield
    except Exception:
        _ping(timer, "/fail")
        raise
    if is_told:
        _ping(timer, "")


def _is_due(timer: str) -> bool:
    now = time.monotonic()
    if now - _told_at.get(timer, float("-inf")) < settings.PING_EVERY.total_seconds():
        return False
    _told_at[timer] = now
    return True


def _ping(timer: str, what: str) -> None:
    """Never fails. The address is a secret: whoever has it can keep the watchdog quiet."""
    global _silent_until  # one per process, as the pause is about the watchdog and not about a timer
    if not settings.PING_URL or time.monotonic() < _silent_until:
        return
    try:
        answer = requests.get(f"{settings.PING_URL}/{timer}{what}", timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        _silent_until = time.monotonic() + PAUSE
        log.warning("the watchdog did not hear of %s: %s", timer, type(error).__name__)
        return
    if answer.status_code != requests.codes.ok:
        log.warning("the watchdog did not hear of %s: HTTP %d", timer, answer.status_code)
