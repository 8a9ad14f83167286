"""How a process that lives long loads what it needs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def for_good() -> Iterator[None]:
    """What is loaded within the block stays, so no collection of garbage walks it: not while it grows, and never after.

    Children that are forked afterwards go on sharing it, too, for a collection would write into each object. The
    garbage that modules leave, 1 MB, stays with them: to look for it takes a tenth of the time that loading takes.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if collects:  # else the block around this one goes on
            gc.enable()
