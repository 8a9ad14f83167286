"""Notices keep their order: each waits for the older ones of the same booking to the same recipient."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Q, prefetch_related_objects

from backend.outbox import bundles
from backend.outbox.models import Message, MessageState, Part, Queue

TURN = timedelta(seconds=1)  # how long a notice waits before it looks again whether its elder has left
# The elder of a call may be in back-off for hours, with many behind it; if it leaves early they follow within this
_TURN_MOST = {Queue.CALLS: timedelta(minutes=10)}


def elders(messages: Sequence[Message], *, now: datetime) -> dict[int, set[int]]:
    """Of each the ids of those that it waits for: older, due, and not settled yet. Three queries, however many.

    Of a notice about several bookings each counts, on either side. What has no recipient keeps no order: by telephone
    all that is true is told in one call, and work at the gateway asks what is so when its turn comes. A refund may pend
    for days there, and a page that cannot be closed for an hour.
    """
    told = [message for message in messages if message.recipient]
    prefetch_related_objects(told, "parts")
    about = {message.pk: set(bundles.booking_ids(message)) for message in told}
    bookings = set[int]().union(*about.values())
    waiting = _waiting(bookings, up_to=max(about, default=0), now=now)
    return {
        message.pk: {
            pk
            for booking in about.get(message.pk, ())
            for pk in waiting[booking, message.recipient, message.queue]
            if pk < message.pk
        }
        for message in messages
    }


def next_looks(rows: Sequence[Message], elders: Mapping[int, set[int]], *, now: datetime) -> dict[int, datetime]:
    """When each looks again whether its elders have left: soon, or where that may last, when they are tried."""
    ids = set[int]().union(*(elders[row.pk] for row in rows if Queue(row.queue) in _TURN_MOST))
    asleep = Message.objects.filter(pk__in=ids, lease_expires_at=None) if ids else Message.objects.none()
    tried = dict(asleep.order_by().values_list("pk", "next_attempt_at"))
    looks = {}
    for row in rows:
        last = max((tried.get(pk, now) for pk in elders[row.pk]), default=now)
        looks[row.pk] = now + max(TURN, min(last - now, _TURN_MOST.get(Queue(row.queue), TURN)))
    return looks


def _waiting(bookings: set[int], *, up_to: int, now: datetime) -> dict[tuple[int, str, str], list[int]]:
    """The due ones that are not settled, by booking, recipient and queue."""
    found = defaultdict[tuple[int, str, str], list[int]](list)
    if not bookings:
        return found
    beside = defaultdict[int, list[int]](list)
    for message, booking in Part.objects.filter(booking_id__in=bookings).values_list("message", "booking_id"):
        beside[message].append(booking)
    rows = Message.objects.filter(
        Q(booking_id__in=bookings) | Q(pk__in=list(beside)),
        pk__lt=up_to,
        state=MessageState.WAITING,
        not_before__lte=now,
    )
    for pk, first, recipient, queue in rows.order_by().values_list("pk", "booking_id", "recipient", "queue"):
        for each in {first or 0, *beside[pk]}:
            found[each, recipient, queue].append(pk)
    return found
