"""Saving locked bookings: one by its id, those of a batch by an UPDATE for all that get the same values."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from backend.bookings.models import Booking
from backend.core import batched_writes, compiled_writes
from backend.core.compiled_changes import update_alike
from backend.core.statements import Statement

COUNTED = "ledger_sequence"  # of each booking its own, and one more by each step


def save(booking: Booking, columns: Iterable[str]) -> None:
    """Keep these columns of a booking whose row is locked; in a batch as they are at its end, once a booking."""
    batched_writes.write(_save, (booking, frozenset(columns)))


def _save(changes: list[tuple[Booking, frozenset[str]]]) -> list[Statement[Any]]:
    stored = [compiled_writes.updating(*changes[0])] if len(changes) == 1 else _save_together(changes)
    for booking, _ in changes:
        booking._update_initial_state()  # as its own `save`, which refuses a state that is not the one it knew
    return stored


def _save_together(changes: list[tuple[Booking, frozenset[str]]]) -> list[Statement[None]]:
    """Raises RuntimeError when a booking took two steps or is gone, TypeError for a text that its row has to seal.

    What time does gives all bookings of a batch the same values, so it is one statement.
    """
    if len({booking.pk for booking, _ in changes}) < len(changes):
        raise RuntimeError("in a batch each booking takes one step")
    alike: dict[tuple[frozenset[str], tuple[Any, ...]], list[int]] = {}
    for booking, columns in changes:
        alike.setdefault((columns, _values(booking, columns)), []).append(booking.pk)
    return [_save_alike(columns, values, ids) for (columns, values), ids in alike.items()]


def _save_alike(columns: frozenset[str], values: tuple[Any, ...], ids: list[int]) -> Statement[None]:
    given = dict(zip(_names(columns), values, strict=True))

    def require_all(found: int) -> None:
        if found != len(ids):
            raise RuntimeError("a booking of the batch is gone")

    return update_alike(Booking, ids, given, grown=COUNTED if COUNTED in columns else "").then(require_all)


def _values(booking: Booking, columns: frozenset[str]) -> tuple[Any, ...]:
    held = booking.__dict__
    return tuple([held[attribute] for attribute in _attributes(columns)])


@cache
def _names(columns: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(columns - {COUNTED}))


@cache
def _attributes(columns: frozenset[str]) -> tuple[str, ...]:
    return tuple(Booking._meta.get_field(name).attname for name in _names(columns))  # type: ignore[union-attr]
