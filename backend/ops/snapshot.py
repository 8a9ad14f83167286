"""The snapshot: all that an operator can see, at one instant, from the database and the broker themselves.

Everything that shows health shows this: the page, the command, the metrics and readiness. Nothing here writes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import DatabaseError, InterfaceError

from backend.ops import business_figures, health, pending_migrations, upkeep
from backend.ops.broker_answer import Broker
from backend.ops.business_figures import BusinessFigures
from backend.ops.health import Health
from backend.ops.models import QUEUES
from backend.ops.upkeep import Upkeep


@dataclass(frozen=True)
class Database:
    """Whether it answers, which migrations of this release it has not seen, and whether it can clear dead rows away."""

    is_reachable: bool
    pending_migrations: tuple[str, ...] = ()
    trouble: str = ""
    upkeep: Upkeep | None = None  # None: not asked for


@dataclass(frozen=True)
class Snapshot:
    """`health` and `figures` are None where the database could not tell them; `figures` also when not asked for."""

    taken_at: datetime
    database: Database
    broker: Broker
    health: Health | None
    figures: BusinessFigures | None


def take_snapshot(*, now: datetime, with_figures: bool = True) -> Snapshot:
    """Look at everything once: PostgreSQL is asked four times, a hanging broker for at most `broker.ANSWER_WITHIN`.

    Without figures: the half that readiness judges.
    """
    from backend.ops import broker  # loads redis, with its clusters and event loops: only for who looks

    database, living, business = Database(is_reachable=True), None, None
    try:
        pending = pending_migrations.pending()
        database = Database(is_reachable=True, pending_migrations=pending)
        if not pending:  # else a table may be missing
            # No transaction: on SQLite it would wait for writers, on PostgreSQL each query has its own moment anyway
            living = health.read_health(now=now)
            if with_figures:
                business = business_figures.read_business_figures(now=now)
                database = replace(database, upkeep=upkeep.read_upkeep())
    except (DatabaseError, InterfaceError) as error:
        database = Database(is_reachable=False, trouble=type(error).__name__)
    return Snapshot(now, database, broker.read_broker([queue.value for queue in QUEUES], now=now), living, business)
