"""Notices to people whom mail does not reach: they wait, due, until staff have told them, or they are no longer true.

Who has no address is told all of them, and who has one that bounced, those from then on and what bounced.

The mail worker looks at each now and then, and settles as obsolete what has been overtaken; it never sends one.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, QuerySet

from backend.outbox import renewals
from backend.outbox.attempts import SNOOZE_MOST, Snooze
from backend.outbox.models import Message, MessageState, Queue

BOUNCED = "bounced:"  # and the id of the mail that did not arrive: the dedupe key
LOOKED_AT_EVERY = timedelta(minutes=5)  # how long something overtaken may stand on the list


def is_told(message: Message) -> bool:
    """Whether it is told by telephone; staff and psychologists always have an address."""
    return message.queue == Queue.MAIL and not message.recipient and message.booking_id is not None


def waits(*, now: datetime) -> Snooze:
    """What the worker answers for one that is still true."""
    return Snooze(now + LOOKED_AT_EVERY)


def turn(message: Message) -> bool:
    """Its mailbox was closed before it left: who holds it leaves it to the telephone. False: it is another's by now."""
    held = Message.objects.filter(pk=message.pk, fence=message.fence, state=MessageState.WAITING)
    return held.update(recipient="") == 1


def tell_too(message: Message, *, now: datetime) -> None:
    """It left, and did not arrive: it is told as well, once, while it is true."""
    renewals.emit_copy(message, key=f"{BOUNCED}{message.pk}", recipient="", now=now)


def to_tell(*, now: datetime) -> QuerySet[Message]:
    """Those whose time has come, oldest first."""
    due = Message.objects.filter(
        queue=Queue.MAIL,
        state=MessageState.WAITING,
        next_attempt_at__lte=now + SNOOZE_MOST,  # so that the index of `claim` answers, and no reminder of next week
        recipient="",
        not_before__lte=now,
        booking_id__isnull=False,
    )
    return due.defer("context").order_by("not_before", "pk")


def record_told(booking_id: int, *, up_to: int, by: str, now: datetime) -> int:
    """Settle them; a worker that holds one loses it. Returns how many."""
    told = to_tell(now=now).filter(booking_id=booking_id, pk__lte=up_to).order_by()
    return told.update(
        state=MessageState.DONE,
        settled_at=now,
        lease_expires_at=None,
        fence=F("fence") + 1,
        may_have_left=True,
        last_error=f"told by {by}"[:300],
    )
