"""Locks on rows, and how many may wait for them.

Who waits for a row holds a thread and a connection meanwhile. If each of a process's did, because one row is held and
many ask for it, nobody else would be answered as long as they ask. So once a wait has ended for nothing, at most half
of them may wait, until none has for a while; whoever comes then locks the row if it is free, and is told at once if it
is held (503, `core/database_timeouts.py`). A crowd at a row that passes from hand to hand is not refused.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, Generic, NamedTuple, TypeVar, cast

from django.conf import settings
from django.db import OperationalError, connection
from django.db.models import Model, QuerySet
from django.db.transaction import TransactionManagementError

from backend.core import database_timeouts
from backend.core.compiled_queries import compiled
from backend.core.statements import Statement, run

M = TypeVar("M", bound=Model)
T = TypeVar("T")
U = TypeVar("U")


class Waits:
    """How many threads of this process wait for a row, and whether one has lately waited for nothing."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.waiting = 0
        self.held_until = 0.0  # of the monotonic clock
        self._changing = threading.Lock()

    def begin(self) -> bool:
        """Whether this thread may wait; then it must say when it has `ended`."""
        with self._changing:
            may_wait = self.waiting < self.most or time.monotonic() >= self.held_until
            self.waiting += may_wait
            return may_wait

    def ended(self) -> None:
        with self._changing:
            self.waiting -= 1

    def note_held(self) -> None:
        """A wait ended for nothing: as long as its asker is told to stay away, others may come for the same row."""
        self.held_until = time.monotonic() + database_timeouts.RETRY_AFTER.total_seconds()


_is_impatient: ContextVar[bool] = ContextVar("is_impatient", default=False)
_waits = Waits(max(1, settings.DATABASE_POOL // 2))


@contextmanager
def waiting_at_most(longest: timedelta) -> Iterator[None]:
    """Until commit no row is waited for longer than this. SQLite has one lock and its own limit.

    A wait that ends so early says nothing about who else should wait.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = %s", [f"{longest / timedelta(milliseconds=1):.0f}ms"])
    is_impatient = _is_impatient.set(True)
    try:
        yield
    finally:
        _is_impatient.reset(is_impatient)


def lock(rows: QuerySet[M]) -> list[M]:
    """These rows without what they are joined to, locked until commit.

    Raises OperationalError when another transaction holds one for too long, or at once when many wait already.
    """
    with _turn() as may_wait:
        return list(rows.select_for_update(of=("self",), nowait=not may_wait))


class Lock(Generic[M]):
    """The same for rows that every intent begins with, asked for by a query that is written once (`compiled`)."""

    def __init__(self, build: Callable[[], QuerySet[M]]) -> None:
        self._waiting = compiled(lambda: build().select_for_update(of=("self",)))
        self._at_once = compiled(lambda: build().select_for_update(of=("self",), nowait=True))

    def take(self, **given: Any) -> list[M]:
        """The rows. Raises as `lock` does."""
        [rows] = take(self.of(**given))
        return cast(list[M], rows)

    def of(self, **given: Any) -> Locking[list[M]]:
        """To be taken with others."""
        return Locking(lambda may_wait: (self._waiting if may_wait else self._at_once).statement(**given))


class Locking(NamedTuple, Generic[T]):
    """A statement that locks rows; until it is sent, it is open whether it may wait for them."""

    statement: Callable[[bool], Statement[T]]

    def then(self, made_of: Callable[[T], U]) -> Locking[U]:
        """The same, whose answer is what is made of the rows."""
        return Locking(lambda may_wait: self.statement(may_wait).then(made_of))


def take(*asked: Locking[Any] | Statement[Any]) -> list[Any]:
    """What each of several answers, in one trip; rows are locked one after another until commit.

    Raises as `lock` does, and what is made of an answer may raise. Whatever else is asked waits as it always does, and
    counts as waiting for a row meanwhile.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("a row is locked until commit, and there is no transaction")
    with _turn() as may_wait:
        return run(*(one if isinstance(one, Statement) else one.statement(may_wait) for one in asked))


@contextmanager
def _turn() -> Iterator[bool]:
    """Whether this thread may wait for a row meanwhile."""
    if not _waits.begin():
        yield False
        return
    try:
        yield True
    except OperationalError as error:
        if database_timeouts.is_timeout(error) and not _is_impatient.get():
            _waits.note_held()
        raise
    finally:
        _waits.ended()


def lock_free(rows: QuerySet[M]) -> list[M]:
    """Those of these rows that nobody holds, locked until commit; the others are left out. SQLite has one lock for all.

    Who waits for nobody can lock in any order.
    """
    return list(rows.select_for_update(of=("self",), skip_locked=True))
