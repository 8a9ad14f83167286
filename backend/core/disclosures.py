"""What of people a piece of work has shown: noted where it is read, and recorded by whoever began to listen.

Nothing here is stored. Without a listener, as in workers and commands, nothing is noted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from django.db import models


@dataclass
class Disclosures:
    """Ids of rows by what was read of them: `{"booking.user_message": {12}}`."""

    ids: dict[str, set[int]] = field(default_factory=dict)


_heard: ContextVar[Disclosures | None] = ContextVar("disclosures", default=None)


@contextmanager
def listening() -> Iterator[Disclosures]:
    """Hears what is noted within."""
    heard = Disclosures()
    before = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(before)


@contextmanager
def unseen() -> Iterator[None]:
    """Within, texts are read for the work alone: compared, masked, copied, and shown to nobody."""
    before = _heard.set(None)
    try:
        yield
    finally:
        _heard.reset(before)


def note(row: models.Model, *names: str) -> None:
    """These columns of the row are read; a version of a row counts as the row."""
    heard = _heard.get()
    if heard is None:
        return
    tracked = getattr(row, "instance_type", type(row))
    pk = row.pk if isinstance(row, tracked) else getattr(row, tracked._meta.pk.attname)
    for name in names:
        heard.ids.setdefault(f"{tracked._meta.model_name}.{name}", set()).add(pk)
