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
Words: TypeAlias = Callable[[list[T]], Iterable[Statement[Any]]]  # what stores all of them; one statement if it can
Act: TypeAlias = Callable[[list[T]], None]
Waiting: TypeAlias = "dict[tuple[bool, Callable[[list[Any]], Any]], list[Any]]"  # whether it is worded, and what of it
_waiting: ContextVar[Waiting | None] = ContextVar("waiting", default=None)


def write(words: Words[T], item: T) -> None:
    """Store this as `words` says: at once and alone, or at the end of the batch with all that it was asked for.

    What is asked for as it is worded is still part of the batch.
    """
    waiting = _waiting.get()
    if waiting is None:
        run(*words([item]))
    else:
        waiting.setdefault((True, words), []).append(item)


def do(act: Act[T], item: T) -> None:
    """The same for what asks the database by itself: in a batch it finds stored what kinds that were asked for before
    its first time have to store."""
    waiting = _waiting.get()
    if waiting is None:
        act([item])
    else:
        waiting.setdefault((False, act), []).append(item)


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
        is_worded, function = next(iter(waiting))
        items = waiting.pop((is_worded, function))
        if is_worded:
            statements += function(items)
        else:
            run(*statements)
            statements = []
            function(items)
    run(*statements)
