"""Writes that can wait for their neighbours: alone each is made at once, in a batch each kind is one call for all.

Whoever writes so says it by `write`, and need not know whether there is a batch; a rule has one home for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")
_waiting: ContextVar[dict[Callable[[list[Any]], object], list[Any]] | None] = ContextVar("waiting", default=None)


def write(function: Callable[[list[T]], object], item: T) -> None:
    """Have `function` write this: at once and alone, or at the end of the batch with all that it was asked for."""
    waiting = _waiting.get()
    if waiting is None:
        function([item])
    else:
        waiting.setdefault(function, []).append(item)


@contextmanager
def batch() -> Iterator[None]:
    """What is written in the block waits for its end, each kind in turn as they were first asked for.

    A batch within another is part of it. The caller has a transaction around it, and no step of the block reads what
    this one or another writes. If the block fails, nothing is written.
    """
    if _waiting.get() is not None:
        yield
        return
    waiting: dict[Callable[[list[Any]], object], list[Any]] = {}
    outer = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(outer)
    for function, items in waiting.items():
        function(items)
