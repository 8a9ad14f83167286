"""The test's own connection, with other limits of waits."""

from __future__ import annotations

from typing import Any

from django.db import connection


def reconnected(**options: Any) -> None:
    """This process's connection anew, with these options."""
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()
    connection.settings_dict["OPTIONS"] |= options


def impatient(**limits: float) -> dict[str, Any]:
    """Options under which these limits, in seconds, bound every wait."""
    if connection.vendor == "sqlite":
        return {"timeout": limits["lock_timeout"]}
    return {"options": " ".join(f"-c {name}={int(limit * 1000)}" for name, limit in limits.items())}
