"""What providers report of mails that left, and what follows for whoever did not get one."""

from __future__ import annotations

import logging
from datetime import datetime

from backend.bookings import actors
from backend.bookings.lifecycle.transaction import intent, lock_booking
from backend.bookings.notices import can_be_told
from backend.channels import routing
from backend.channels.channel import ChannelName, ChannelReport
from backend.core.errors import Code, Refused
from backend.outbox import by_telephone, closed_mailboxes, deliveries
from backend.outbox.deliveries import DeliveryReport
from backend.outbox.models import Delivery, Message

log = logging.getLogger(__name__)


@intent
def record_delivery(report: DeliveryReport, *, now: datetime) -> bool:
    """No transition. Any number of times and in any order. False: nothing of ours, or nothing new.

    Of a visitor whom a mail about their booking did not reach, the mailbox is closed and the mail is told by telephone.
    """
    message = deliveries.note(report, now=now)
    if message is None:
        return False
    if report.delivery in (Delivery.BOUNCED, Delivery.COMPLAINED):
        _not_received(message, report, now=now)
    return True


@intent
def record_text(channel: ChannelName, report: ChannelReport, *, now: datetime) -> bool:
    """No transition. Any number of times and in any order. False: no text of this channel, or nothing new.

    A text that was delivered settles the mail that waits for it; one that will not be makes that due.
    """
    told = DeliveryReport(report.provider_message_id, report.message_uuid, report.delivery)
    text = deliveries.note(told, now=now, among=routing.of_channel(channel))
    if text is None:
        return False
    if report.delivery == Delivery.DELIVERED:
        routing.note_told(text, now=now)
    elif report.delivery == Delivery.BOUNCED:
        log.info("%s %s was not delivered", text.kind, text.uuid)
        routing.mail_now(text, now=now)
    return True


def _not_received(message: Message, report: DeliveryReport, *, now: datetime) -> None:
    """Who was erased has no recipient any more: nothing is kept of them."""
    log.warning("%s %s: %s", message.kind, message.uuid, report.delivery)
    if not message.recipient or message.booking_id is None or not can_be_told(message.kind):
        return
    if report.closes_mailbox:
        closed_mailboxes.close(message.mailbox, report.delivery, now=now)
    by_telephone.tell_too(message, now=now)


@intent
def mail_again(booking_id: int, *, actor: str) -> bool:
    """No transition: staff know that mail reaches this booking's address. False: nothing was known against it.

    What waits for the telephone stays there. Refuses: booking_unknown, no_address.
    """
    booking = lock_booking(booking_id)
    if not booking.email:
        raise Refused(Code.NO_ADDRESS)
    was_closed = closed_mailboxes.open_again([booking.email])
    if was_closed:
        log.info("%s is mailed again, by %s", booking.acknowledgement_id, actors.describe(actor))
    return was_closed
