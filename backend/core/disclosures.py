"""What of people a piece of work has shown: noted where it is read, and recorded by whoever began to listen.

Nothing here is stored. Without a listener, as in workers and commands, nothing is noted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum

from django.db import models


class Act(StrEnum):
    """What somebody did to be shown it; the strongest of a request names its record."""

    OPENED = "opened"
    SEARCHED = "searched"
    EXPORTED = "exported"


ROW = "row"  # that it is there, with what every list shows of it


@dataclass
class Disclosures:
    """Ids of rows by what was read of them: `{"booking.user_message": {12}}`."""

    ids: dict[str, set[int]] = field(default_factory=dict)
    act: Act = Act.OPENED

    def __bool__(self) -> bool:
        return bool(self.ids) or self.act is not Act.OPENED

    def ids_of(self, subject: str) -> set[int]:
        """Those of one kind of row, whatever was read of them."""
        return {pk for name, ids in self.ids.items() if name.partition(".")[0] == subject for pk in ids}


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
    tracked = getattr(row, "instance_type", type(row))
    pk = row.pk if isinstance(row, tracked) else getattr(row, tracked._meta.pk.attname)
    note_ids(tracked, [pk], *names)


def note_ids(model: type[models.Model], pks: Iterable[int], *names: str) -> None:
    """The same, of many rows."""
    note_subject(str(model._meta.model_name), pks, *names)


def note_subject(subject: str, pks: Iterable[int], *names: str) -> None:
    """The same, where the model is not at hand."""
    heard, known = _heard.get(), set(pks)
    if heard is None or not known:
        return
    for name in names:
        heard.ids.setdefault(f"{subject}.{name}", set()).update(known)


def pass_on(shown: Disclosures) -> None:
    """What was heard of a part, to whoever listens to the whole."""
    heard = _heard.get()
    if heard is None:
        return
    heard.act = max(heard.act, shown.act, key=list(Act).index)
    for name, ids in shown.ids.items():
        heard.ids.setdefault(name, set()).update(ids)


def note_act(act: Act, model: type[models.Model], pks: Iterable[int]) -> None:
    """These rows were found by a search or went into a file, be there any or not."""
    heard = _heard.get()
    if heard is None:
        return
    heard.act = max(heard.act, act, key=list(Act).index)
    note_ids(model, pks, ROW)
