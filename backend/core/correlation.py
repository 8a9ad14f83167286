"""The id that ties a request, its ledger row, its messages and their log lines together."""

from __future__ import annotations

import uuid

from backend.core.structured import structlog

_ID = "correlation_id"


def current() -> str:
    """The id of the work in hand; empty outside any."""
    return str(structlog.contextvars.get_contextvars().get(_ID, ""))


def begin(correlation_id: str = "", **about: object) -> str:
    """Start a piece of work under the given id, or under a new one, and return it.

    `about` stands on each log line of that work: kinds, names and ids of rows, nothing that a person typed.
    """
    value = correlation_id or uuid.uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**{_ID: value}, **about)
    return value
