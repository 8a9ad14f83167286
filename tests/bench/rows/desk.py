"""The desk's pages over a large practice, each against a million additions beside it: `ONLY=desk BOOKINGS=1000000`.

In this process, with the database's share. On the machine of the first measurement 80 ms were two such millions.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping

from django.test import Client as Browser

from backend.accounts.roles import OWNER, Role
from backend.bookings.models import KeptSum
from tests.bench import large, pages
from tests.bench.counting import asked_by
from tests.bench.figures import Figure, Goal, ratio
from tests.bench.meters import took_ms
from tests.bench.reference import millions
from tests.bench.run import Run
from tests.support import roles
from tests.support.admin_site import logged_in

TIMES = 7
PAGE = Goal(2, 1, is_cost=True)


def measure(run: Run) -> list[Figure]:
    """Each page some times, by turns with itself alone: what is read stays in the database's memory, as by day."""
    if run.service:
        run.service.only("broker")
    made = large.filled(run)
    gc.collect()
    gc.freeze()  # as config/wsgi.py does
    with large.connected():
        reception = logged_in(roles.account(Role.RECEPTIONIST, "bench-reception"))
        owner = logged_in(roles.account(OWNER, "bench-owner"))
        return [made, *_of(run, reception, pages.of_reception()), *_of(run, owner, pages.of_the_owner())]


def _of(run: Run, browser: Browser, urls: Mapping[str, str]) -> list[Figure]:
    browser.defaults["SERVER_NAME"] = "localhost"
    return [figure for name, url in urls.items() for figure in _page(run, browser, name, url)]


def _page(run: Run, browser: Browser, name: str, url: str) -> Iterator[Figure]:
    """The ratio, and milliseconds; the name says how many statements."""
    _open(browser, url)  # fills the caches of templates and content types
    statements = asked_by(lambda: _open(browser, url)).statements
    pairs = [(took_ms(lambda: _open(browser, url)), took_ms(millions.add)) for _ in range(run.many(TIMES))]
    page, plain = zip(*pairs, strict=True)
    yield ratio(f"{name}, {statements} statements", page, plain, PAGE)
    yield Figure(name, page, "ms")
    if KeptSum.objects.exists():  # by this page, for each begins without
        yield Figure(f"{name}, counted anew", [_anew(browser, url) for _ in range(2)], "ms")
        KeptSum.objects.all().delete()


def _anew(browser: Browser, url: str) -> float:
    """What who finds the kept sums too old waits for."""
    KeptSum.objects.all().delete()
    return took_ms(lambda: _open(browser, url))


def _open(browser: Browser, url: str) -> None:
    answer = browser.get(url)
    if answer.status_code != 200:
        raise RuntimeError(f"{url} answered {answer.status_code}")
