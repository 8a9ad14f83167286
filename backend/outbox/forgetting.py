"""What somebody was written, found by their addresses, and taken out of the rows that stay."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import F, Q, QuerySet

from backend.core.personal_data import emptied
from backend.outbox import patience
from backend.outbox.mailboxes import mailbox_of
from backend.outbox.models import Message, MessageState, Queue


def bookings_told(addresses: Collection[str]) -> set[int]:
    """Ids of the bookings that these addresses were written about."""
    mailed = _mailed_to(addresses).order_by()
    return {found for found in mailed.values_list("booking_id", flat=True) if found is not None}


def spellings_of(addresses: Collection[str]) -> set[str]:
    """How the mailboxes of these were written to: `asha+work@example.org`, of `asha@example.org`."""
    boxes = {mailbox_of(address) for address in addresses}
    return set(Message.objects.filter(mailbox__in=boxes).order_by().values_list("recipient", flat=True)) - {""}


def forget_about(booking_ids: Collection[int], addresses: Collection[str], *, now: datetime) -> None:
    """What these addresses were written about these bookings loses its words; unsent, it stays so.

    What was to be told of them by telephone, too, and what was written to one. Whoever has one in hand cannot hand it
    over any more.
    """
    _forget(_mailed_to(addresses).filter(booking_id__in=booking_ids), now=now)
    of_telephones = Q(queue=Queue.MAIL, recipient="") | Q(queue=Queue.CALLS, kind__startswith=f"{patience.TEXT}:")
    _forget(Message.objects.filter(of_telephones, booking_id__in=booking_ids), now=now)


def forget_about_none(addresses: Collection[str], *, now: datetime) -> None:
    """The same of what they were written about no booking."""
    _forget(_mailed_to(addresses).filter(booking_id=None), now=now)


def _mailed_to(addresses: Collection[str]) -> QuerySet[Message]:
    """By the mailbox, which has an index."""
    boxes = {mailbox_of(address) for address in addresses}
    return Message.objects.filter(mailbox__in=boxes, recipient__in=addresses)


def _forget(found: QuerySet[Message], *, now: datetime) -> None:
    rows = Message.objects.filter(pk__in=list(found.order_by().values_list("pk", flat=True)))
    unsent = {"state": MessageState.OBSOLETE, "settled_at": now, "lease_expires_at": None, "fence": F("fence") + 1}
    rows.filter(state=MessageState.WAITING).update(**unsent)
    rows.update(**emptied(Message), blanked_at=now)
