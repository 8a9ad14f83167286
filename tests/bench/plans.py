"""How PostgreSQL finds the rows of each statement, asked by EXPLAIN as the statement is about to run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from backend.accounts.roles import OWNER, Role
from backend.bookings.lifecycle import callers
from backend.bookings.models import Booking, LedgerEntry, SlotClaim
from backend.core.statements import TOGETHER
from backend.outbox.fresh_work import queues_with_fresh_work
from backend.outbox.models import Message
from backend.payments.models import Payment
from backend.people.models import Client
from config import schedule
from tests.bench import pages
from tests.bench.rows.sweeps import Due
from tests.support import api, roles, scenarios
from tests.support.admin_site import logged_in
from workers import mail
from workers.app import app

EXPLAINED = re.compile(r"\s*\(?\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
SHOWN = 300  # characters of a statement
GROW = {
    model._meta.db_table for model in (Booking, LedgerEntry, SlotClaim, Message, Payment, Client)
}  # with the practice
Node = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """Of one statement. `buffers` are the pages of 8 kB that it looked at, its own writes among them."""

    work: str
    sql: str
    buffers: int
    ms: float
    read_whole: tuple[str, ...]  # the tables
    indexes: tuple[str, ...] = ()
    scanned: int = 0  # rows of tables that grow, met one after the other by no index

    def __str__(self) -> str:
        whole = f", reads {', '.join(self.read_whole)} whole" if self.read_whole else ""
        return f"{self.work}: {self.buffers:,} buffers, {self.ms:.1f} ms{whole}: {self.sql[:SHOWN]}"


@dataclass
class Plans:
    """What was asked in the blocks."""

    found: list[Plan] = field(default_factory=list)

    @contextmanager
    def of(self, work: str) -> Iterator[None]:
        with connection.execute_wrapper(lambda *asked: self._note(work, *asked)):
            yield

    def _note(self, work: str, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """A wrapper of Django's."""
        if not many:
            self.found += [_explained(work, one) for one in _composed(sql, params) if EXPLAINED.match(one)]
        return execute(sql, params, many, context)


def _composed(sql: str, params: Any) -> list[str]:
    operations: Any = connection.ops
    return str(operations.compose_sql(sql, params)).split(TOGETHER)


def _explained(work: str, sql: str) -> Plan:
    """Run it, and take back what it did."""
    with connection.connection.transaction(force_rollback=True), connection.connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}".replace("%", "%%"))
        [[[told]]] = cursor.fetchall()
    top = told["Plan"]
    buffers = top["Shared Hit Blocks"] + top["Shared Read Blocks"]
    whole = {node["Relation Name"] for node in _nodes(top) if node["Node Type"] == "Seq Scan"}
    indexes = {node["Index Name"] for node in _nodes(top) if "Index Name" in node and node["Actual Loops"]}
    return Plan(work, sql, buffers, told["Execution Time"], tuple(sorted(whole)), tuple(sorted(indexes)), _scanned(top))


def _scanned(top: Node) -> int:
    scans = [node for node in _nodes(top) if node["Node Type"] == "Seq Scan" and node["Relation Name"] in GROW]
    return sum((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"] for node in scans)


def _nodes(top: Node) -> Iterator[Node]:
    yield top
    for each in top.get("Plans", ()):
        yield from _nodes(each)


def of_everything() -> list[Plan]:
    """A life from draft to completion, beat's look, mails, empty ticks, the desk's pages; of each database once."""
    return _of_database(connection.settings_dict["NAME"])


@cache
def _of_database(_name: str) -> list[Plan]:
    """Who lived there has a booking, and could not begin as a stranger again."""
    plans, now = Plans(), timezone.now()
    app.loader.import_default_modules()
    with plans.of("draft"):
        _ask("POST", api.DRAFT, 201, data=api.form(now, email="planned@bench.example"))
    with plans.of("verify, approve, pay"):
        booking = scenarios.confirmed("confirmed@bench.example", now=now)
    with plans.of("a call without an address"):
        callers.recorded_just_now(None, scenarios.draft_of("", now=now), now=now)
    with plans.of("status"):
        _ask("GET", api.STATUS, 200, query={"acknowledgement_id": booking.acknowledgement_id})
    with plans.of("free slots"):
        _ask("GET", "/api/slots/", 200)
    with plans.of("beat's look"):
        queues_with_fresh_work(now=timezone.now())
    with plans.of("mails"):
        mail.drain()
    due = Due(2)
    due.again()
    with plans.of("sweep of what is due"):
        app.tasks["workers.timers.complete_sessions"]()
    for task in sorted({task for task, _ in schedule.TABLE.values() if task.startswith("workers.timers.")}):
        with plans.of(task.rpartition(".")[2]):
            app.tasks[task]()
    _of_pages(plans, logged_in(roles.account(Role.RECEPTIONIST, "plans-reception")), pages.of_reception())
    _of_pages(plans, logged_in(roles.account(OWNER, "plans-owner")), pages.of_the_owner())
    return plans.found


def _ask(method: str, path: str, status: int, **given: Any) -> None:
    """Under a name that production serves without being told of any."""
    api.done(api.request(method, path, environ={"SERVER_NAME": "localhost"}, **given), status)


def _of_pages(plans: Plans, browser: Browser, urls: Mapping[str, str]) -> None:
    browser.defaults["SERVER_NAME"] = "localhost"
    for name, url in urls.items():
        with plans.of(name):
            answer = browser.get(url)
        if answer.status_code != 200:
            raise RuntimeError(f"{url} answered {answer.status_code}")
