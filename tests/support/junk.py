"""JSON with one thing in it changed: for whoever must read whatever comes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

# of each type, too large, too long, and half a character
JUNK: tuple[Any, ...] = (None, "", 0, 10**30, [], {}, "x" * 300, "\ud800")


def variants(body: bytes) -> Iterator[bytes]:
    """The body with junk in each of its places, one at a time."""
    whole = json.loads(body)
    for inside, name in list(_places(whole)):
        right = inside[name]
        for junk in JUNK:
            inside[name] = junk
            yield json.dumps(whole).encode()
        inside[name] = right


def _places(value: Any) -> Iterator[tuple[Any, str | int]]:
    """What holds each part of it, and under which name or number."""
    parts: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in list(parts):
        yield value, name
        yield from _places(part)
