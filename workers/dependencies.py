"""Whether the database and the broker answer now, asked without a pool and without retries."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from backend.ops import broker

CONNECT_WITHIN = 2.0  # seconds: a broker may be far away


def _database() -> str | None:
    driver: Any = connection.Database  # type: ignore[attr-defined] # each of Django's databases has its own
    try:
        driver.connect(**connection.get_connection_params()).close()
    except driver.Error as error:
        return _line(error)
    return None


def _broker() -> str | None:
    return broker.trouble(within=CONNECT_WITHIN)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


@dataclass(frozen=True)
class Dependency:
    """Something that must answer before work can begin."""

    variable: str
    stand_in: str  # what is used while the variable is unset
    ask: Callable[[], str | None]  # why it cannot be reached, in the driver's words; None when it can

    @property
    def is_given(self) -> bool:
        """Whether the variable is set."""
        return bool(os.environ.get(self.variable, "").strip())

    def trouble(self) -> str | None:
        """A sentence that names the variable or its stand-in; None when it answers."""
        reason = self.ask()
        return reason and f"{self.variable if self.is_given else self.stand_in} cannot be reached: {reason}"


BROKER = Dependency("REDIS_URL", "the embedded broker", _broker)
DEPENDENCIES = (Dependency("DATABASE_URL", "the SQLite file", _database), BROKER)
