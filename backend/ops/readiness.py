"""Whether this instance may be given requests: the database, its migrations and the machine's static files decide.

The rest is only named.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from backend.ops import findings, snapshot, static_files
from backend.ops.findings import Level


class Status(StrEnum):
    READY = "ready"
    DEGRADED = "degraded"  # bookings work; what must follow them does not
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class Readiness:
    """Names of components only: strangers may read it."""

    status: Status
    unavailable: list[str]
    degraded: list[str]


def check_readiness(*, now: datetime) -> Readiness:
    """Within a second, even when the broker hangs."""
    found = findings.judge(snapshot.take_snapshot(now=now, with_figures=False))
    fatal, degraded = findings.components(found, Level.FATAL), findings.components(found, Level.DEGRADED)
    if not static_files.are_collected():
        fatal = [*fatal, "static-files"]
    status = Status.UNAVAILABLE if fatal else Status.DEGRADED if degraded else Status.READY
    return Readiness(status, fatal, degraded)
