"""One message about several bookings: rows that were just written about each become the parts of one.

It hangs on the first of its bookings, and is judged, ordered and shown by all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any

from django.db.models import Q, prefetch_related_objects

from backend.core.errors import required
from backend.outbox import messages
from backend.outbox.models import Message, Part, Queue


def join(rows: Sequence[Message], *, kind: str, dedupe_key: str) -> None:
    """One row takes the place of these, of the caller's transaction: to one recipient, due at one instant.

    Links that were issued for them go on: each part keeps its row's uuid.
    """
    first = rows[0]
    Message.objects.filter(pk__in=[row.pk for row in rows]).delete()
    uuid = messages.emit(
        queue=Queue(first.queue),
        kind=kind,
        dedupe_key=dedupe_key,
        now=first.created_at,
        not_before=first.not_before,
        recipient=first.recipient,
        booking_id=first.booking_id,
        ledger_sequence=first.ledger_sequence,
    )
    message = Message.objects.only("pk").get(uuid=uuid)
    Part.objects.bulk_create(
        Part(
            message=message,
            uuid=row.uuid,
            kind=row.kind,
            booking_id=required(row.booking_id, "booking_id", row),
            ledger_sequence=required(row.ledger_sequence, "ledger_sequence", row),
        )
        for row in rows
    )


def parts_of(message: Message) -> list[Part]:
    """Empty for a message about one booking. One query, the first time."""
    read: dict[str, Iterable[Part]] = message.__dict__.get("_prefetched_objects_cache", {})
    if "parts" in read:  # Django makes a queryset of them for each look
        return list(read["parts"])
    prefetch_related_objects([message], "parts")
    return list(message.parts.all())


def subjects(message: Message) -> list[Message]:
    """The message as one about each of its bookings, to be read and never saved; itself, if it is about one."""
    return [_about_one(message, part) for part in parts_of(message)] or [message]


def alone(message: Message, part: Part) -> Message:
    """What the message would be, were it about this booking alone. To be read, and never saved."""
    single = _about_one(message, part)
    single.kind = part.kind
    return single


def booking_ids(message: Message) -> list[int]:
    """Of all the bookings that it is about."""
    return [one.booking_id for one in subjects(message) if one.booking_id is not None]


def about(booking_id: int, *kinds: str) -> Q:
    """The messages about this booking, alone or among others; of these kinds, if any are given."""
    of_kind = {"kind__in": kinds} if kinds else {}
    return _alone_or_among(booking_id=booking_id, **of_kind)


def about_step(booking_id: int, ledger_sequence: int) -> Q:
    """What was owed about one step of this booking, alone or among others."""
    return _alone_or_among(booking_id=booking_id, ledger_sequence=ledger_sequence)


def _alone_or_among(**them: Any) -> Q:
    """A union, each half by its index: of an OR over a subquery PostgreSQL reads the whole outbox."""
    alone = Message.objects.filter(**them).order_by().values("pk")
    return Q(pk__in=alone.union(Part.objects.filter(**them).order_by().values("message")))


def _about_one(message: Message, part: Part) -> Message:
    single = copy(message)
    single.uuid, single.booking_id, single.ledger_sequence = part.uuid, part.booking_id, part.ledger_sequence
    return single
