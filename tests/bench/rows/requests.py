"""Draft intake and status by id, each against a plain view that does the same work on the same server line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, cycle, islice

from django.utils import timezone

from tests.bench import load
from tests.bench.figures import Figure, Goal, ratio
from tests.bench.load import Burst
from tests.bench.meters import CpuMeter
from tests.bench.run import Run
from tests.support import api, scenarios
from tests.support.clients import forwarded_for

SECONDS = 2.0  # a burst
INTAKE, STATUS = Goal(0.35, 0.75), Goal(0.7, 1.2)
_numbers = count()


@dataclass(frozen=True)
class Measured:
    """A burst, and the CPU of each group meanwhile."""

    burst: Burst
    cpu: dict[str, float]

    def each_ms(self, group: str) -> float:
        """Milliseconds of CPU an answer."""
        return 1000 * self.cpu[group] / len(self.burst.latencies)

    @property
    def client_share(self) -> float:
        """Of all the CPU that was spent, what we took to ask; percent."""
        return 100 * self.burst.own_cpu / (self.burst.own_cpu + sum(self.cpu.values()))


def measure(run: Run) -> list[Figure]:
    """Four variants by turns."""
    if run.service:
        run.service.only("web", "bare web")
    found = run.compare(
        {
            "draft": lambda: burst(run, run.url, drafts(api.DRAFT), 201),
            "bare draft": lambda: burst(run, run.bare_url, drafts("/draft/"), 201),
            "status": _status(run),
            "bare status": _bare_status(run),
        }
    )
    return [*_figures("draft", "draft intake", found, INTAKE), *_figures("status", "status by id", found, STATUS)]


def drafts(path: str) -> Iterator[bytes]:
    """The form of somebody new, each time."""
    form = api.form(timezone.now())
    for number in _numbers:
        who = f"v{number}@bench.example"
        yield load.post(path, {**form, "email": who}, **forwarded_for(who))


def burst(run: Run, url: str, asked: Iterator[bytes], expected: int, *, clients: int = 0) -> Measured:
    """Some seconds of this, or until nothing is left to ask."""
    meter = CpuMeter(**run.groups())
    found = load.send(url, asked, expected, seconds=SECONDS * run.size, clients=clients or run.many(load.CLIENTS))
    return Measured(found, meter.spent())


def _status(run: Run) -> Callable[[], Measured]:
    now = timezone.now()
    ids = [str(scenarios.pending(f"s{n}@bench.example", now=now)) for n in range(run.many(50))]
    asked = cycle([load.get(f"{api.STATUS}?acknowledgement_id={one}") for one in ids])
    return lambda: burst(run, run.url, asked, 200)


def _bare_status(run: Run) -> Callable[[], Measured]:
    made = load.send(run.bare_url, islice(drafts("/draft/"), run.many(50)), 201)
    ids = [_id_in(body) for body in made.bodies]
    asked = cycle([load.get(f"/status/?acknowledgement_id={one}") for one in ids])
    return lambda: burst(run, run.bare_url, asked, 200)


def _id_in(body: bytes) -> str:
    return str(json.loads(body)["acknowledgement_id"])


def _figures(name: str, title: str, found: dict[str, list[Measured]], goal: Goal) -> list[Figure]:
    ours, bare = found[name], found[f"bare {name}"]
    rates = [one.burst.rate for one in ours], [one.burst.rate for one in bare]
    return [
        ratio(f"{title} against bare", *rates, goal),
        Figure(f"{title}: answers a second", rates[0]),
        Figure(f"{title}: bare's", rates[1]),
        Figure(f"{title}: CPU of web", [one.each_ms("web") for one in ours], "ms"),
        Figure(f"{title}: CPU of the database", [one.each_ms("database") for one in ours], "ms"),
        Figure(f"{title}: bare's CPU of web", [one.each_ms("bare") for one in bare], "ms"),
        Figure(f"{title}: bare's CPU of the database", [one.each_ms("database") for one in bare], "ms"),
        Figure(f"{title}: p99", [one.burst.p99 for one in ours], "ms"),
        Figure(f"{title}: the clients' share of the CPU", [one.client_share for one in ours + bare], "%"),
    ]
