"""A life cycle in a large practice against one in an empty one: `ONLY=growth BOOKINGS=1000000`."""

from __future__ import annotations

from dataclasses import replace

from tests.bench import large, settled
from tests.bench.figures import Figure, Goal, ratio
from tests.bench.rows.calls import REPORT, Cost, Desk, walked
from tests.bench.run import Run

FLAT = Goal(0.95, 1)
SETTLED = 10  # messages a booking, once most have moved and were reminded


def measure(run: Run) -> list[Figure]:
    """CPU of web and database, by turns; a web of its own for each."""
    service, made = run.parts, large.filled(run)
    service.only("web", "web large", "sandbox")
    there = replace(run, url=service.large_url, groups=lambda: {**service.groups(), "web": service.groups()["large"]})
    desk = Desk()
    with large.connected():
        desk_there = Desk()

    def walk_there() -> Cost:
        with large.connected():
            return walked(there, desk_there)

    def compared() -> tuple[list[float], list[float]]:
        found = run.compare({"empty": lambda: walked(run, desk), "large": walk_there})
        empty, full = ([sum(cost.values()) - cost[REPORT] for cost in costs] for costs in found.values())
        return empty, full

    empty, full = compared()
    messages = SETTLED * run.bookings
    settled.fill(messages)
    empty_beside, full_beside = compared()
    return [
        made,
        ratio(f"life cycles a CPU second over {run.bookings:,} bookings, to none", empty, full, FLAT),
        Figure("whole life cycle there: CPU", full, "ms"),
        Figure("whole life cycle without them: CPU", empty, "ms"),
        ratio(f"the same over {messages:,} messages that are settled", empty_beside, full_beside, FLAT),
        Figure("whole life cycle beside them: CPU", full_beside, "ms"),
    ]
