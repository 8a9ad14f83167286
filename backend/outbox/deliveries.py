"""What a provider reports of a message that it took: matched by its id or by ours, forward only, and once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q

from backend.outbox.models import Delivery, Message, MessageState, Queue


@dataclass(frozen=True)
class DeliveryReport:
    """One event. `closes_mailbox`: no later mail will reach that address either, or its owner wants none."""

    provider_message_id: str
    message_uuid: UUID | None
    delivery: Delivery
    closes_mailbox: bool = False


MAILS = Q(queue=Queue.MAIL)


def note(report: DeliveryReport, *, now: datetime, among: Q = MAILS) -> Message | None:
    """The message, if it is one of these and the report takes it forward; one that comes again, or late, does nothing.

    One conditional UPDATE: of two that come at once, each does its part once.
    """
    message = _find(report, among)
    if message is None:
        return None
    moved = Message.objects.filter(pk=message.pk, delivery__in=_before(report.delivery))
    if not moved.update(delivery=report.delivery, delivery_at=now):
        return None
    _settle_what_left(message, now=now)
    return Message.objects.defer("context").get(pk=message.pk)  # under the lock: an erasure has been, or waits


def _find(report: DeliveryReport, among: Q) -> Message | None:
    """Ours first: it is known before the provider has answered."""
    sent = Message.objects.filter(among).defer("context")
    if report.message_uuid is not None:
        found = sent.filter(uuid=report.message_uuid).first()
        if found is not None:
            return found
    if not report.provider_message_id:
        return None
    # said so that the index answers, which leaves out the empty ones
    named = sent.filter(~Q(provider_message_id=""), provider_message_id=report.provider_message_id)
    return named.order_by("-pk").first()


def _before(delivery: Delivery) -> list[str]:
    order = list(Delivery)
    return ["", *order[: order.index(delivery)]]


def _settle_what_left(message: Message, *, now: datetime) -> None:
    """The provider has it, of which we were not sure: nobody is asked, and no second copy leaves.

    Whoever is sending it this moment settles it by himself.
    """
    unsure = Q(state=MessageState.UNKNOWN) | Q(state=MessageState.WAITING, lease_expires_at=None, hand_overs__gt=0)
    Message.objects.filter(unsure, pk=message.pk, may_have_left=True).update(
        state=MessageState.DONE, settled_at=now, lease_expires_at=None, fence=F("fence") + 1
    )
