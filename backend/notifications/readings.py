"""The bookings that some mails are about, read at once, and whether they are still as they were read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from django.db import connection
from django.db.models import prefetch_related_objects

from backend.bookings.models import Booking
from backend.core import statements
from backend.core.statements import Row, Statement, ask
from backend.outbox import bundles
from backend.outbox.held_rows import Question
from backend.outbox.models import Message

Versions: TypeAlias = dict[int, tuple[Any, ...]]  # by booking; as the database gives them, only to be compared

# Every step of a booking, and whatever becomes of its payments and refunds, has a ledger row. Beside that only what a
# person corrects, an erasure, and a colleague's new name change what mails say.
VERSION = ("ledger_sequence", "full_name", "purged_at", "psychologist__full_name")


@dataclass(frozen=True)
class Reading:
    """Bookings with all that mails say of them. Rows that a rule asks for beyond (`rules.BEYOND`) are not among it."""

    bookings: Mapping[int, Booking]
    versions: Versions

    def subjects(self, message: Message) -> Iterator[tuple[Booking, Message]]:
        """The bookings of the message that there are, each with the message as one about it."""
        for one in bundles.subjects(message):
            booking = self.bookings.get(one.booking_id or 0)
            if booking is not None:
                yield booking, one

    def client_id(self, message: Message) -> int | None:
        """Whom it is about, where that is one booking."""
        booking = self.bookings.get(message.booking_id or 0)
        return booking.client_id if booking is not None else None

    def is_so_still(self, message: Message, found: Sequence[Row] | None = None) -> bool:
        """Whether nothing has changed about its bookings: by what `question` found; otherwise one query."""
        ids = bundles.booking_ids(message)
        versions = _versions(ids) if found is None else _by_booking(found)
        return versions == {pk: self.versions[pk] for pk in ids if pk in self.versions}


def read(messages: Sequence[Message]) -> Reading:
    """A query for each kind of row, however many the messages. The versions first: what changes meanwhile is newer."""
    prefetch_related_objects(messages, "parts")
    ids = sorted({pk for message in messages for pk in bundles.booking_ids(message)})
    versions = _versions(ids)
    rows = Booking.objects.select_related("psychologist").defer("user_message")
    return Reading(rows.prefetch_related("ledger", "payments__refunds", "taken_from").in_bulk(ids), versions)


def question(message: Message) -> Question | None:
    """What tells whether something has changed about its bookings, if it has any."""
    ids = bundles.booking_ids(message)
    return _versions_of(ids) if ids else None


def _versions(ids: Sequence[int]) -> Versions:
    if not ids:
        return {}
    found: list[Row] = ask(_versions_of(ids))
    return _by_booking(found)


def _versions_of(ids: Sequence[int]) -> Question:
    return Statement(_worded(len(ids)), ids, statements.rows)


def _by_booking(rows: Sequence[Row]) -> Versions:
    return {pk: tuple(version) for pk, *version in rows}


@cache
def _worded(count: int) -> str:
    """Worded by the ORM, once: it takes longer than the answer."""
    rows = Booking.objects.filter(pk__in=range(1, count + 1)).order_by().values_list("pk", *VERSION)
    sql: str = rows.query.get_compiler(connection.alias).as_sql()[0]
    return sql
