"""How spans and instants are said to operators."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOTHING = "–"


def format_age(span: timedelta | None) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`, `5 h 12 min`, `3 d 4 h`; the two largest units."""
    if span is None:
        return NOTHING
    seconds = span.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    for unit, size, smaller, small in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= size:
            rest = int(seconds % size // small)
            return f"{int(seconds // size)} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds:.0f} s"


def format_utc(at: datetime | None) -> str:
    """`2026-11-23 04:30:00Z`: logs say UTC, and so does what is held against them."""
    return NOTHING if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
