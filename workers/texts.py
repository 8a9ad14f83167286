"""One text sent in a mail's stead: is it still true, does its reader still want it, and then once and never again.

Whatever the provider did not surely refuse may have reached the telephone. So an attempt that was handed over is the
last one: its mail follows after `FALLBACK_AFTER`, unless a report says that the text was delivered.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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
RESTS_AFTER = 3  # failures in a row
REST, REST_MOST = timedelta(seconds=10), timedelta(minutes=2)
ID_LONGEST = Message._meta.get_field("provider_message_id").max_length


@dataclass(frozen=True)
class _Text:
    """What leaves, to whom, and by what."""

    channel: Channel
    said: TemplateMessage
    phone_number: str


def look_ahead(rows: Sequence[Message]) -> Mapping[int, Answer]:
    """What needs no attempt: its channel is left alone for now."""
    now = timezone.now()
    found = {row.pk: _rests.until(row, now=now) for row in rows if routing.is_text(row) and not row.hand_overs}
    return {pk: Snooze(until) for pk, until in found.items() if until is not None}


def perform(message: Message) -> Answer:
    """Raises Transient where it surely was not sent; it is tried again as long as its mail waits."""
    now = timezone.now()
    if message.hand_overs:  # by an attempt of which nobody heard what became
        return MessageState.DONE
    if (until := _rests.until(message, now=now)) is not None:
        return Snooze(until)
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
        _rests.note(message, error, now=timezone.now())
        return _unheard(message, error)
    _rests.note(message, None, now=timezone.now())
    message.provider_message_id = taken_as[:ID_LONGEST]
    return MessageState.DONE


def _unheard(message: Message, error: OutsideFailure) -> MessageState:
    if error.surely_not_sent:
        if isinstance(error, ChannelTrouble):
            log.error("%s: the channel takes nothing from us: %s", message.kind, error)
        raise Transient(str(error), surely_not_sent=True) from error  # an account's trouble would hold other calls
    log.warning("%s %s may have been sent, and is not repeated: %s", message.kind, message.uuid, error)
    return MessageState.DONE


class Rests:
    """Channels that this process leaves alone: one that hangs, five seconds a text, would hold up webhooks and rooms.

    From its third failure in a row on, longer with each; then one text tries for all. No mail waits longer for it.
    """

    def __init__(self) -> None:
        self._failures = Counter[str]()
        self._until: dict[str, datetime] = {}

    def until(self, text: Message, *, now: datetime) -> datetime | None:
        """None: it may be asked. A rest that is too far ahead is a clock's."""
        until = self._until.get(_channel_of(text))
        return until if until is not None and now < until <= now + REST_MOST else None

    def note(self, text: Message, error: OutsideFailure | None, *, now: datetime) -> None:
        """What became of one."""
        name = _channel_of(text)
        self._failures[name] = self._failures[name] + 1 if error is not None else 0
        if self._failures[name] >= RESTS_AFTER:
            self._until[name] = now + min(REST * 2 ** (self._failures[name] - RESTS_AFTER), REST_MOST)


def _channel_of(text: Message) -> str:
    return text.kind.split(":")[1]


_rests = Rests()
