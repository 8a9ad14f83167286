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
from backend.bookings.machine import ACTIVE
from backend.bookings.models import Booking
from backend.bookings.notices import Notice, links_carried
from backend.core.errors import required
from backend.outbox import bundles, renewals
from backend.outbox.models import Message, MessageState, Queue


@intent
def renew(message_id: int, *, now: datetime) -> None:
    """No transition: a mail that may have left is to be repeated, and says what is no longer so.

    Refuses: booking_unknown.
    """
    message = Message.objects.get(pk=message_id)
    bookings = [lock_booking(pk) for pk in sorted(bundles.booking_ids(message))]
    anew = renewals.emit_anew(message, now=now)
    if anew is not None:
        _issue_links(anew, {booking.pk: booking for booking in bookings})


def renew_last(booking: Booking, kinds: Collection[Notice], *, now: datetime) -> None:
    """The visitor was told what has just changed: the last mail of these kinds that may have left is owed anew.

    Not if a later one of them is about to leave, which will say it. The rows are locked, so that none begins meanwhile.
    The caller holds the booking's lock.
    """
    told = Message.objects.select_for_update().filter(
        bundles.about(booking.pk, *kinds), queue=Queue.MAIL, recipient=booking.email
    )
    for message in told.order_by("-pk"):
        if message.may_have_left:
            _replace(booking, message, now=now)
            return
        if message.state == MessageState.WAITING and message.not_before <= now:
            return


def _replace(booking: Booking, message: Message, *, now: datetime) -> None:
    """Of a mail about several bookings only what it says of this one: the others stand as they were told."""
    part = next((part for part in bundles.parts_of(message) if part.booking_id == booking.pk), None)
    single = bundles.alone(message, part) if part is not None else message
    anew = renewals.emit_anew(single, now=now, of_one=part is not None)
    if anew is not None:
        _issue_links(anew, {booking.pk: booking})


def _issue_links(anew: Message, bookings: dict[int, Booking]) -> None:
    """Each booking's own; of several, those that have closed need none."""
    if not anew.recipient:
        return
    parts = bundles.parts_of(anew)
    for one in [bundles.alone(anew, part) for part in parts] or [anew]:
        booking = bookings[required(one.booking_id, "booking_id", one)]
        if not parts or booking.state in ACTIVE:
            carried = links_carried(Notice(one.kind), booking.state)
            links.issue(booking, *carried, message_uuid=one.uuid, now=anew.created_at)
