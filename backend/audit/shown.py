"""What a record says was shown, as text: `booking.user_message 12 ;client.phone_number 5 7 ;`.

Each id stands between blanks, so that a database without JSON can look for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Shown = Mapping[str, Iterable[int]]


def to_text(shown: Shown) -> str:
    """Sorted, so that equal pages read alike."""
    return "".join(f"{what} {' '.join(map(str, sorted(ids)))} ;" for what, ids in sorted(shown.items()))


def parse(text: str) -> dict[str, set[int]]:
    """The way back."""
    parts = (part.split() for part in text.split(";") if part)
    return {what: {int(pk) for pk in ids} for what, *ids in parts}


def only_subject(shown: Shown) -> tuple[str, int] | None:
    """Table and id, when all of it is about one row."""
    found = {(what.split(".")[0], pk) for what, ids in shown.items() for pk in ids}
    return found.pop() if len(found) == 1 else None
