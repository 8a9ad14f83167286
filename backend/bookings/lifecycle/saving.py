"""Saving locked bookings: one by its id, those of a batch by an UPDATE for all that get the same values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import F

from backend.bookings.models import Booking
from backend.core import batched_writes, compiled_writes

COUNTED = "ledger_sequence"  # of each booking its own, and one more by each step
_ONE_MORE = F(COUNTED) + 1


def save(booking: Booking, columns: Iterable[str]) -> None:
    """Keep these columns of a booking whose row is locked."""
    batched_writes.write(_save, (booking, frozenset(columns)))


def _save(changes: list[tuple[Booking, frozenset[str]]]) -> None:
    if len(changes) == 1:
        compiled_writes.update(*changes[0])
    else:
        _save_together(changes)


def _save_together(changes: list[tuple[Booking, frozenset[str]]]) -> None:
    """Raises RuntimeError when a booking took two steps or is gone, TypeError for a text that its row has to seal.

    What time does gives all bookings of a batch the same values, so it is one statement.
    """
    if len({booking.pk for booking, _ in changes}) < len(changes):
        raise RuntimeError("in a batch each booking takes one step")
    alike: dict[tuple[tuple[str, Any], ...], list[int]] = {}
    for booking, columns in changes:
        alike.setdefault(_values(booking, columns), []).append(booking.pk)
    for values, ids in alike.items():
        if Booking.objects.filter(pk__in=ids).update(**dict(values)) != len(ids):
            raise RuntimeError("a booking of the batch is gone")


def _values(booking: Booking, columns: frozenset[str]) -> tuple[tuple[str, Any], ...]:
    """As a key. A new text is not yet sealed for its row, and an UPDATE refuses it."""
    attributes = {name: Booking._meta.get_field(name).attname for name in sorted(columns)}  # type: ignore[union-attr]
    values = {name: booking.__dict__[attribute] for name, attribute in attributes.items()}
    if COUNTED in values:
        values[COUNTED] = _ONE_MORE
    return tuple(values.items())
