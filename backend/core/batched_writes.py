"""Writes that can wait for their neighbours: alone each is made at once, in a batch all are sent together.

Whoever writes so says it by `write`, and need not know whether there is a batch; a rule has one home for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias, TypeVar

from backend.core.statements import Statement, run

T = TypeVar("T")
Writer: TypeAlias = Callable[[list[T]], Iterable[Statement[Any]]]  # returns what stores all; one statement if it can
Action: TypeAlias = Callable[[list[T]], None]
Waiting: TypeAlias = "dict[tuple[bool, Callable[[list[Any]], Any]], list[Any]]"  # by whether it is a writer, and which
_waiting: ContextVar[Waiting | None] = ContextVar("waiting", default=None)


def write(writer: Writer[T], item: T) -> None:
    """Store this as `writer` says: at once and alone, or at the end of the batch with all that it was asked for.

    What the writer itself asks for is still part of the batch.
    """
    waiting = _waiting.get()
    if waiting is None:
        run(*writer([item]))
    else:
        waiting.setdefault((True, writer), []).append(item)


def do(action: Action[T], item: T) -> None:
    """The same for what asks the database by itself.

    In a batch it finds stored what those writers store that were asked for before it was for the first time.
    """
    waiting = _waiting.get()
    if waiting is None:
        action([item])
    else:
        waiting.setdefault((False, action), []).append(item)


@contextmanager
def batch() -> Iterator[None]:
    """What is written in the block waits for its end, each kind in turn as they were first asked for.

    A batch within another is part of it. The caller has a transaction around it, which ends with what the batch raises,
    and no step of the block reads what this one or another writes. If the block fails, nothing is written.
    """
    if _waiting.get() is not None:
        yield
        return
    waiting: Waiting = {}
    outer = _waiting.set(waiting)
    try:
        yield
        _store(waiting)
    finally:
        _waiting.reset(outer)


def _store(waiting: Waiting) -> None:
    statements: list[Statement[Any]] = []
    while waiting:
        is_writer, function = next(iter(waiting))
        items = waiting.pop((is_writer, function))
        if is_writer:
            statements += function(items)
        else:
            run(*statements)
            statements = []
            function(items)
    run(*statements)
