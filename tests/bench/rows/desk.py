"""The desk's pages over a large practice: `ONLY=desk BOOKINGS=1000000`. In this process, with the database's share."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping

from django.test import Client as Browser

from backend.accounts.roles import OWNER, Role
from tests.bench import pages, practice
from tests.bench.counting import asked_by
from tests.bench.figures import Figure, Goal
from tests.bench.run import Run
from tests.support import roles
from tests.support.admin_site import logged_in

TIMES = 7
PAGE = Goal(80, 80, is_cost=True)  # ms


def measure(run: Run) -> list[Figure]:
    """Each page some times, by turns with itself alone: what is read stays in the database's memory, as by day."""
    if run.service:
        run.service.only("broker")
    began = time.perf_counter()
    practice.make(run.bookings)
    made = Figure(f"a practice of {run.bookings:,} bookings, made in", [time.perf_counter() - began], "s")
    gc.collect()
    gc.freeze()  # as config/wsgi.py does
    reception = logged_in(roles.account(Role.RECEPTIONIST, "bench-reception"))
    owner = logged_in(roles.account(OWNER, "bench-owner"))
    return [made, *_of(run, reception, pages.of_reception()), *_of(run, owner, pages.of_the_owner())]


def _of(run: Run, browser: Browser, urls: Mapping[str, str]) -> list[Figure]:
    browser.defaults["SERVER_NAME"] = "localhost"
    return [_page(run, browser, name, url) for name, url in urls.items()]


def _page(run: Run, browser: Browser, name: str, url: str) -> Figure:
    """Milliseconds; the name says how many statements."""
    _open(browser, url)  # fills the caches of templates and content types
    statements = asked_by(lambda: _open(browser, url)).statements
    took = []
    for _ in range(run.many(TIMES)):
        began = time.perf_counter()
        _open(browser, url)
        took.append(1000 * (time.perf_counter() - began))
    return Figure(f"{name}, {statements} statements", took, "ms", PAGE)


def _open(browser: Browser, url: str) -> None:
    answer = browser.get(url)
    if answer.status_code != 200:
        raise RuntimeError(f"{url} answered {answer.status_code}")
