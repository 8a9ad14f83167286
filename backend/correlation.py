"""The id that ties a request, its ledger row, its messages and their log lines together."""

from __future__ import annotations

import logging
import time
import uuid
from contextvars import ContextVar

_current: ContextVar[str] = ContextVar("correlation_id", default="")


def current() -> str:
    """The id of the work in hand; empty outside any."""
    return _current.get()


def begin(correlation_id: str = "") -> str:
    """Start a piece of work under the given id, or under a new one, and return it."""
    value = correlation_id or uuid.uuid4().hex
    _current.set(value)
    return value


class LogFilter(logging.Filter):
    """Puts the current id on every log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.correlation_id = _current.get() or "-"
        return True


class LogFormatter(logging.Formatter):
    """Log lines say UTC, whatever zone the practice lives in."""

    converter = staticmethod(time.gmtime)
    default_msec_format = "%s.%03dZ"
