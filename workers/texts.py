"""One text sent in a mail's stead: is it still true, does its reader still want it, and then once and never again.

Whatever the provider did not surely refuse may have reached the telephone. So an attempt that was handed over is the
last one: its mail follows after `FALLBACK_AFTER`, unless a report says that the text was delivered.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from backend.bookings.models import Booking
from backend.channels import adapters, consents, routing, texts
from backend.channels.channel import Channel, ChannelTrouble, TemplateMessage
from backend.channels.models import Purpose
from backend.core.errors import OutsideFailure, Permanent, Transient, before_it_leaves, required
from backend.notifications import delivery, readings
from backend.outbox import attempts
from backend.outbox.attempts import Snooze
from backend.outbox.models import Message, MessageState
from workers.outcomes import Answer

log = logging.getLogger(__name__)
ID_LONGEST = Message._meta.get_field("provider_message_id").max_length


@dataclass(frozen=True)
class _Text:
    """What leaves, to whom, and by what."""

    channel: Channel
    said: TemplateMessage
    phone_number: str


def perform(message: Message) -> Answer:
    """Raises Transient where it surely was not sent; it is tried again as long as its mail waits."""
    now = timezone.now()
    if message.hand_overs:  # by an attempt of which nobody heard what became
        return MessageState.DONE
    with before_it_leaves():
        found = _judged(message, now=now)
        if not isinstance(found, _Text):
            return found
        if not attempts.write([attempts.hand_over(message)]):
            raise Transient("it was taken back, or another worker has it by now")
    return _sent(message, found)


def _judged(message: Message, *, now: datetime) -> Answer | _Text:
    """What is to be sent; or nothing: its mail has left, or leaves now, or is no longer true itself."""
    mail = routing.mail_of(message)
    booking = Booking.objects.filter(pk=message.booking_id or 0).defer("user_message").first()
    if mail is None or booking is None:
        return MessageState.OBSOLETE
    reading = readings.read([mail])
    held_until = delivery.held_until(mail, now=now, reading=reading)
    if held_until is not None:
        return Snooze(held_until)
    is_true = delivery.prepare(mail, now=now, reading=reading) is not None
    text = _wanted(message, booking) if is_true else None
    if text is None:
        routing.mail_now(message, now=now)
        return MessageState.OBSOLETE
    return text


def _wanted(message: Message, booking: Booking) -> _Text | None:
    """None: its reader has withdrawn the consent since, or this channel is not configured any more."""
    name, template = routing.parse_kind(message.kind)
    consent = consents.of([booking.client_id or 0], Purpose.REMINDERS).get(booking.client_id or 0)
    if consent is None or consent.channel != name or name not in adapters.configured():
        return None
    starts_at = required(booking.slot_start, "slot_start", booking)
    channel = adapters.channel(name)
    said = texts.message(template, starts_at, language=booking.language, among=channel.languages)
    return _Text(channel, said, consent.phone_number)


def _sent(message: Message, text: _Text) -> MessageState:
    try:
        taken_as = text.channel.send(text.said, phone=text.phone_number, key=message.uuid)
    except Permanent as error:
        log.warning("%s %s is mailed instead: %s", message.kind, message.uuid, error)
        routing.mail_now(message, now=timezone.now())
        return MessageState.OBSOLETE
    except OutsideFailure as error:
        return _unheard(message, error)
    message.provider_message_id = taken_as[:ID_LONGEST]
    return MessageState.DONE


def _unheard(message: Message, error: OutsideFailure) -> MessageState:
    if error.surely_not_sent:
        if isinstance(error, ChannelTrouble):
            log.error("%s: the channel takes nothing from us: %s", message.kind, error)
        raise Transient(str(error), surely_not_sent=True) from error  # an account's trouble would hold other calls
    log.warning("%s %s may have been sent, and is not repeated: %s", message.kind, message.uuid, error)
    return MessageState.DONE
