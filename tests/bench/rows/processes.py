"""How long processes take to start, and how much memory is theirs, beside those of the reference."""

from __future__ import annotations

import time

import psutil

from tests.bench.figures import Figure, Goal, ratio
from tests.bench.meters import pss_of
from tests.bench.run import Run
from tests.bench.service import Service

TIMES = 2  # starts of each
WEB_MB = Goal(85, 70, is_cost=True)
# where a Celery worker that does nothing starts in 2 s, these are 3 and 5 s, and then 1.5 and 2.6
START = {"web": ("bare worker", Goal(1.5, 0.75, is_cost=True))} | dict.fromkeys(
    ("mail", "payments", "calls", "timers"), ("bare worker", Goal(2.5, 1.3, is_cost=True))
)
MEASURED = ("bare web", "web", "bare worker", "mail", "payments", "calls", "timers", "beat")
SETTLES_WITHIN = 2.0  # seconds: heartbeats, first wake-ups, pools


def measure(run: Run) -> list[Figure]:
    """Each alone on the machine, by turns."""
    service = run.parts
    service.only("broker")
    starts: dict[str, list[float]] = {name: [] for name in MEASURED}
    sizes: dict[str, list[float]] = {name: [] for name in MEASURED}
    for _ in range(run.many(TIMES)):
        for name in run.chance.sample(MEASURED, len(MEASURED)):
            starts[name].append(service.begin(name))
            time.sleep(SETTLES_WITHIN * run.size)
            sizes[name].append(_size(service, name))
            service.end(name)
    return [
        *(ratio(f"start of {one} to {bare}", starts[one], starts[bare], goal) for one, (bare, goal) in START.items()),
        *(Figure(f"start of {name}", starts[name], "s") for name in MEASURED if name != "beat"),
        *(Figure(_said(name), sizes[name], "MB", WEB_MB if name == "web" else None) for name in MEASURED),
    ]


def _said(name: str) -> str:
    return f"memory of a process of {name}" if name.endswith("web") else f"memory of {name}, all its processes"


def _size(service: Service, name: str) -> float:
    """PSS; of web that of the largest process, which serves, and not of the one that watches them."""
    pid = service.pid(name)
    if not name.endswith("web"):
        return pss_of(pid)
    return max((pss_of(child.pid) for child in psutil.Process(pid).children()), default=0.0)
