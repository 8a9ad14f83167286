"""A slot as a form sends it: psychologist and start, `7@2026-11-24T06:30:00+00:00`, and a length where one matters."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from backend.scheduling.free_slots import FreeSlot

_DIGITS_MOST = 9  # more do not fit the columns
_SECOND = timedelta(seconds=1)


class ChosenSlot(NamedTuple):
    """A slot that somebody picked."""

    psychologist_id: int
    start: datetime
    length: timedelta | None = None


def encode_slot(slot: FreeSlot, *, with_length: bool = False) -> str:
    """What a page lets the browser send."""
    text = f"{slot.psychologist_id}@{slot.start.isoformat()}"
    return f"{text}@{(slot.end - slot.start) // _SECOND}" if with_length else text


def decode_slot(text: str) -> ChosenSlot | None:
    """What the browser sent; None for nothing, and for what no page of ours lets it send."""
    who, _, rest = text.partition("@")
    start, has_length, seconds = rest.partition("@")
    if not _is_number(who) or (has_length and not _is_number(seconds)):
        return None
    try:
        at = datetime.fromisoformat(start)
    except ValueError:
        return None
    if at.tzinfo is None or not 2000 < at.year < 9000:  # at the calendar's ends another zone has no such instant
        return None
    return ChosenSlot(int(who), at, int(seconds) * _SECOND if has_length else None)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _DIGITS_MOST
