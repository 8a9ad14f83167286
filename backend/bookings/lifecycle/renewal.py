"""A notice once more, in the words of now: for whoever may have read in the last one what is no longer so.

A mail that surely has not left is rendered anew by itself. One that may have left is never sent again with other words:
another takes its place, with links of its own. It speaks of the same ledger row and the same instant, so that nobody
loses what they asked for in time. Of whoever asks for it, intent or mail worker, there is one for each mail.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from backend.bookings import links
from backend.bookings.lifecycle.transaction import intent, lock_booking
from backend.bookings.models import Booking
from backend.bookings.notices import Notice, links_carried
from backend.core.errors import required
from backend.outbox import renewals
from backend.outbox.models import Message, MessageState, Queue


@intent
def renew(message_id: int, *, now: datetime) -> None:
    """No transition: a mail that may have left is to be repeated, and says what is no longer so.

    Refuses: booking_unknown.
    """
    message = Message.objects.get(pk=message_id)
    _replace(lock_booking(required(message.booking_id, "booking_id", message)), message, now=now)


def renew_last(booking: Booking, kinds: Collection[Notice], *, now: datetime) -> None:
    """The visitor was told what has just changed: the last mail of these kinds that may have left is owed anew.

    Not if a later one of them is about to leave, which will say it. The rows are locked, so that none begins meanwhile.
    The caller holds the booking's lock.
    """
    told = Message.objects.select_for_update().filter(
        booking_id=booking.pk, queue=Queue.MAIL, kind__in=kinds, recipient=booking.email
    )
    for message in told.order_by("-pk"):
        if message.may_have_left:
            _replace(booking, message, now=now)
            return
        if message.state == MessageState.WAITING and message.not_before <= now:
            return


def _replace(booking: Booking, message: Message, *, now: datetime) -> None:
    uuid = renewals.emit_anew(message, now=now)
    if uuid is None:
        return
    if message.recipient:
        carried = links_carried(Notice(message.kind), booking.state)
        links.issue(booking, *carried, message_uuid=uuid, now=message.created_at)
