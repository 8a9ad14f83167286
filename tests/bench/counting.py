"""How many statements a piece of work asks of the database, and in how many transactions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from django.db import connection

from backend.core.statements import TOGETHER


@dataclass
class Asked:
    """Savepoints are statements too."""

    statements: int = 0
    trips: int = 0  # to the database and back, with one statement or many
    transactions: int = 0

    def note(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """A wrapper of Django's."""
        self.statements += sql.count(TOGETHER) + 1
        self.trips += 1
        self.transactions += not connection.in_atomic_block  # of this statement alone
        return execute(sql, params, many, context)


def asked_by(work: Callable[[], object]) -> Asked:
    """Do it, and count."""
    found, commit = Asked(), connection._commit

    def count_and_commit() -> None:
        found.transactions += 1
        commit()

    with connection.execute_wrapper(found.note), patch.object(connection, "_commit", count_and_commit):
        work()
    return found
