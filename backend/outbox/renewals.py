"""Rows whose words or time have changed: another takes their place, or they move before anybody began them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

from django.db.models import F

from backend.outbox import bundles, messages
from backend.outbox.models import Message, MessageState, Part, Queue


def emit_anew(message: Message, *, now: datetime, of_one: bool = False) -> Message | None:
    """Owe what takes the place of a mail that may have left, once. It speaks of the same instant. None: it is owed.

    One that was settled unsent because it was not true when its turn came is owed again, for its subject is back.
    `of_one`: of a mail about several bookings, what it says of the one that `message` names.
    """
    key = f"{messages.ANEW}{message.pk}" + (f":{message.booking_id}" if of_one else "")
    if Message.objects.filter(dedupe_key=key).exists():
        _owe_again(key, now=now)
        return None
    return emit_copy(message, key=key, recipient=message.recipient, now=now, of_one=of_one)


def emit_copy(message: Message, *, key: str, recipient: str, now: datetime, of_one: bool = False) -> Message | None:
    """Owe it to `recipient` besides, as of the same instant. None: it is owed already."""
    uuid = messages.emit(
        queue=Queue(message.queue),
        kind=message.kind,
        dedupe_key=key,
        now=now,
        recipient=recipient,
        booking_id=message.booking_id,
        subject_id=message.subject_id,
        ledger_sequence=message.ledger_sequence,
    )
    Message.objects.filter(uuid=uuid).update(created_at=message.created_at)
    anew = Message.objects.filter(uuid=uuid).first()
    if anew is not None and not of_one:
        Part.objects.bulk_create(
            Part(message=anew, kind=part.kind, booking_id=part.booking_id, ledger_sequence=part.ledger_sequence)
            for part in bundles.parts_of(message)
        )
    return anew


def _owe_again(key: str, *, now: datetime) -> None:
    unsent = Message.objects.filter(dedupe_key=key, state=MessageState.OBSOLETE, may_have_left=False, blanked_at=None)
    unsent.update(
        state=MessageState.WAITING, attempts=0, not_before=now, next_attempt_at=now, settled_at=None, last_error=""
    )


def is_anew(message: Message) -> bool:
    """Whether it takes the place of one that may have left."""
    return message.dedupe_key.startswith(messages.ANEW)


def replan(booking_id: int, kinds: Collection[str], when: Callable[[Message], datetime]) -> None:
    """Reminders that surely have not left move with what they speak of. Whoever has claimed one does not begin it."""
    planned = Message.objects.select_for_update().filter(booking_id=booking_id, kind__in=kinds)
    for row in planned.filter(state=MessageState.WAITING, may_have_left=False).order_by("pk"):
        due = when(row)
        Message.objects.filter(pk=row.pk).update(
            not_before=due, next_attempt_at=due, lease_expires_at=None, fence=F("fence") + 1
        )
