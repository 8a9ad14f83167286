"""What pages and statements cost in practices of several sizes, as pictures, too: `ONLY=sizes BOOKINGS=1000000`."""

from __future__ import annotations

import gc
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from django.test import Client as Browser

from backend.accounts.roles import OWNER, Role
from tests.bench import large, pages, plans
from tests.bench.figures import Figure
from tests.bench.meters import CpuMeter
from tests.bench.run import Run
from tests.support import plot, roles
from tests.support.admin_site import logged_in
from tests.support.server import ROOT

SMALLER = (20_000, 100_000)
TIMES = 5
PAGES, STATEMENTS = (ROOT / "docs" / "pictures" / name for name in ("pages.png", "statements.png"))
GROUPS = {  # by how a name begins; pages of no other name are lists of records
    "list": "bookings, by filter",
    "search": "bookings, by word",
    "a request": "one booking",
    "a session": "one booking",
    "approve": "one booking",
    "new booking": "one booking",
    "today": "today",
    "calendar": "calendar",
    "numbers": "numbers",
    "overview": "operators",
    "a scrape": "operators",
    "dead letters": "operators",
}
LIFE = ("draft", "verify, approve, pay", "a call without an address", "status", "free slots")
WORK = {"mails": "mails", "sweep of what is due": "a sweep"}
RECORDS = "records"
Costs = dict[str, float]


def measure(run: Run) -> list[Figure]:
    """The smaller ones in databases of their own, which stay until the server goes."""
    if run.service:
        run.service.only("broker")
    sizes = [*(size for size in SMALLER if size < run.bookings), run.bookings]
    found = [_of_size(run, size) for size in sizes]
    for path, title, number in (
        (PAGES, "CPU of a page, ours and the database's, in ms, against bookings", 0),
        (STATEMENTS, "pages of 8 kB that a work's statements look at, against bookings", 1),
    ):
        draw(path, title, sizes, [costs[number] for costs in found])
    return [
        Figure(f"{name}, over {size:,} bookings", [cost], unit)
        for number, unit in ((0, "ms"), (1, "buffers"))
        for size, costs in zip(sizes, found, strict=True)
        for name, cost in costs[number].items()
    ]


def draw(path: Path, title: str, sizes: Sequence[int], costs: Sequence[Mapping[str, float]]) -> None:
    """A line for each name."""
    lines = {name: [each[name] for each in costs] for name in costs[0]}
    plot.draw(path, title, sizes, lines, by_size=True)


def _of_size(run: Run, size: int) -> tuple[Costs, Costs]:
    name = large.NAME if size == run.bookings else large.beside(run, size)
    large.filled(run, name, size)
    with large.connected(name):
        gc.collect()
        gc.freeze()  # as config/wsgi.py does
        reception = logged_in(roles.account(Role.RECEPTIONIST, "sizes-reception"))
        owner = logged_in(roles.account(OWNER, "sizes-owner"))
        costs = _of_pages(run, reception, pages.of_reception()) | _of_pages(run, owner, pages.of_the_owner())
        return costs, by_group(plans.of_everything())


def _of_pages(run: Run, browser: Browser, urls: Mapping[str, str]) -> Costs:
    """One opening of a page of each group."""
    browser.defaults["SERVER_NAME"] = "localhost"
    costs: Costs = {}
    for group, names in groupby(sorted(urls, key=group_of), key=group_of):
        of_group = [urls[name] for name in names]
        for url in of_group:
            browser.get(url)
        meter, began = CpuMeter(database=run.groups()["database"]), time.process_time()
        for url in of_group * TIMES:
            browser.get(url)
        spent = time.process_time() - began + meter.spent()["database"]
        costs[group] = 1000 * spent / len(of_group) / TIMES
    return costs


def group_of(name: str) -> str:
    """Of a page."""
    return next((group for begin, group in GROUPS.items() if name.startswith(begin)), RECORDS)


def by_group(found: Sequence[plans.Plan]) -> Costs:
    """Buffers of all statements: of a life, of the workers, and of a page on the average."""
    urls = {**pages.of_reception(), **pages.of_the_owner()}
    costs, shown = defaultdict[str, float](float), defaultdict[str, set[str]](set)
    for plan in found:
        is_page = plan.work in urls
        group = (
            group_of(plan.work) if is_page else "a life" if plan.work in LIFE else WORK.get(plan.work, "empty ticks")
        )
        costs[group] += plan.buffers
        shown[group].add(plan.work if is_page else "")
    return {group: cost / len(shown[group]) for group, cost in sorted(costs.items())}
