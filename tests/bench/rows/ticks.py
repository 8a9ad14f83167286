"""What each timer costs while nothing is due: a tick every ten seconds, for ever."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from config import schedule
from tests.bench.counting import asked_by
from tests.bench.figures import Figure, Goal, ratio
from tests.bench.meters import took_ms
from tests.bench.reference import tick as plain
from tests.bench.run import Run
from workers.app import app

TIMES = 15  # a timer
EMPTY = Goal(5, 3, is_cost=True)


def measure(run: Run) -> list[Figure]:
    """On the clock, with the signs of life and the history that each tick writes, and by turns with the plain one."""
    if run.service:
        run.service.only()
    app.loader.import_default_modules()
    names = sorted(task for task, _ in schedule.TABLE.values() if task.startswith("workers.timers."))
    ticks = {name.rpartition(".")[2]: app.tasks[name] for name in names if not name.endswith("canary")}
    statements = [float(asked_by(each).statements) for each in ticks.values()]
    with plain.table():
        found = {name: [_pair(each) for _ in range(run.many(TIMES))] for name, each in ticks.items()}
    slowest = max(found, key=lambda name: median(ours for ours, _ in found[name]))
    return [
        *(
            ratio(f"empty tick of {name} to a plain one", *zip(*took, strict=True), EMPTY)
            for name, took in found.items()
        ),
        Figure(f"the slowest, {slowest}", [ours for ours, _ in found[slowest]], "ms"),
        Figure("the plain one beside it", [other for _, other in found[slowest]], "ms"),
        Figure("statements an empty tick, of all timers", statements),
    ]


def _pair(tick: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds of it and of the plain one."""
    return took_ms(tick), took_ms(plain.tick)
