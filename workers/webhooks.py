"""One webhook delivered: is it still wanted, is its server left alone for now, and what did it answer."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils import timezone

from backend.bookings.models import LedgerEntry
from backend.core.errors import Permanent, Transient, required
from backend.core.outgoing import guarded_call
from backend.core.outgoing.called_address import AddressRefused
from backend.outbox import patience
from backend.outbox.attempts import Snooze
from backend.outbox.models import Message, MessageState
from backend.webhooks import owing, payload, subscriptions
from backend.webhooks.models import Delivery, EndedWhy, Subscription
from workers.outcomes import Answer

GONE = 410
_TAKEN = range(200, 300)


def look_ahead(rows: Sequence[Message]) -> Mapping[int, Answer]:
    """What needs no attempt: nobody wants it any more, or its server is left alone for now."""
    webhooks = [row for row in rows if patience.whose(row.kind) == patience.WEBHOOK]
    found = Subscription.objects.in_bulk({required(row.subject_id, "subject_id", row) for row in webhooks})
    now = timezone.now()
    judged = {row.pk: _judged(row, found.get(row.subject_id or 0), now=now) for row in webhooks}
    return {pk: answer for pk, answer in judged.items() if answer is not None}


def deliver(message: Message) -> Answer:
    """One call. Raises Transient for every answer but a 2xx and 410, Permanent after three days of them."""
    now = timezone.now()
    subscription = Subscription.objects.filter(pk=required(message.subject_id, "subject_id", message)).first()
    answer = _judged(message, subscription, now=now)
    if answer is not None:
        return answer
    subscription = required(subscription, "subscription", message)
    if _is_left_alone(subscription, now=now):
        raise Permanent("its server took nothing for three days", surely_not_sent=True)
    if not subscriptions.take_turn(subscription, now=now):
        return Snooze(now + subscriptions.TRY_LASTS)
    try:
        return _became(subscription, _post(message, subscription, now=now))
    except Transient as error:
        subscriptions.note_not_taken(subscription, now=timezone.now())
        if _is_old(message, now=now):
            raise Permanent(str(error)) from error
        raise


def _judged(message: Message, subscription: Subscription | None, *, now: datetime) -> Answer | None:
    """None: it is to be attempted, if only to be given up."""
    is_wanted = subscription is not None and owing.type_of(message.kind) in subscription.events
    if subscription is None or not is_wanted or subscription.ended_at is not None:
        return MessageState.OBSOLETE
    if _is_left_alone(subscription, now=now) and not _is_old(message, now=now):
        return Snooze(required(subscription.retry_at, "retry_at"))
    return None


def _is_left_alone(subscription: Subscription, *, now: datetime) -> bool:
    return subscription.retry_at is not None and now < subscription.retry_at <= now + subscriptions.AWAY_MOST


def _is_old(message: Message, *, now: datetime) -> bool:
    return now - message.not_before > patience.TRIED_FOR


def _post(message: Message, subscription: Subscription, *, now: datetime) -> int:
    """The answer's status. What became of it is logged, without a word of either side."""
    content = _content(message)
    secrets = subscriptions.secrets_of(subscription, now=now)
    headers = payload.headers(content, message_id=str(message.uuid), secrets=secrets, now=now)
    began, status, trouble = time.monotonic(), None, ""
    try:
        status = guarded_call.post(subscription.address, content, headers).status
    except AddressRefused as error:
        trouble = f"address refused: {error.fault}"
        raise Transient(trouble, surely_not_sent=True) from error
    except Transient as error:
        trouble = str(error)
        raise
    finally:
        took = int(1000 * (time.monotonic() - began))
        Delivery.objects.create(
            subscription=subscription, message=message, at=now, status=status, trouble=trouble[:80], milliseconds=took
        )
    return status


def _content(message: Message) -> bytes:
    booking_id = required(message.booking_id, "booking_id", message)
    sequence = required(message.ledger_sequence, "ledger_sequence", message)
    event_id, at = LedgerEntry.objects.values_list("pk", "at").get(booking=booking_id, sequence=sequence)
    type_ = owing.type_of(message.kind)
    return payload.body(type_, at=at, booking_id=booking_id, sequence=sequence, event_id=event_id)


def _became(subscription: Subscription, status: int) -> MessageState:
    if status in _TAKEN:
        subscriptions.note_taken(subscription)
        return MessageState.DONE
    if status == GONE:
        subscriptions.end(subscription, EndedWhy.GONE, now=timezone.now())
        return MessageState.OBSOLETE
    raise Transient(f"HTTP {status}", says_it_failed=True)
