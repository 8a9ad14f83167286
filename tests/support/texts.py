"""A reminder on its way to a telephone: the mail that is owed, the text in its stead, and both workers' turns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import time_machine
from django.core.mail import EmailMessage

from backend.bookings.lifecycle import deliveries
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.channels.channel import ChannelReport
from backend.channels.names import ChannelName
from backend.outbox.models import Delivery, Message, MessageState, Queue
from tests.support import mail_worker, scenarios
from tests.support.fake_channels.base import FakeChannel
from workers import calls

FIRST = Notice.SESSION_APPROACHING
PHONE = "+919876543210"  # what `scenarios` types


def confirmed(now: datetime, channel: str = "sms", **typed: object) -> Booking:
    """Whoever has this booking chose the channel; all that was due has left."""
    booking = scenarios.confirmed(now=now, reminders_by=channel, **typed)
    mail_worker.drain(now)
    Message.objects.filter(state=MessageState.WAITING, not_before__lte=now).update(state=MessageState.DONE)
    return booking


def mail_of(booking: Booking, notice: Notice = FIRST) -> Message:
    """The newest."""
    return Message.objects.filter(queue=Queue.MAIL, booking_id=booking.pk, kind=notice).latest("pk")


def all_texts() -> list[Message]:
    return list(Message.objects.filter(queue=Queue.CALLS, kind__startswith="text:").order_by("pk"))


def the_text() -> Message:
    """There is one."""
    (text,) = all_texts()
    return text


def route(at: datetime) -> Message:
    """The mail worker's turn, after which one text is owed."""
    mail_worker.drain(at)
    return the_text()


def drain(at: datetime) -> None:
    """The turn of the worker of calls."""
    with time_machine.travel(at, tick=False):
        calls.drain()


def report(uuid: UUID | None, delivery: Delivery = Delivery.DELIVERED, provider_message_id: str = "") -> ChannelReport:
    return ChannelReport(uuid, provider_message_id, delivery)


def delivered(text: Message, at: datetime, delivery: Delivery = Delivery.DELIVERED) -> bool:
    """The provider of text messages reports so of this one."""
    return deliveries.record_text(ChannelName.SMS, report(text.uuid, delivery), now=at)


def sent(fakes: Mapping[str, FakeChannel]) -> list[tuple[str, str]]:
    """By which channel, and to which telephone."""
    return [(name, taken.phone) for name, fake in fakes.items() for taken in fake.taken]


def reminders(mailoutbox: list[EmailMessage]) -> int:
    """Mailed; the first reminder alone has begun by then."""
    return sum("reminder" in mail.subject.casefold() for mail in mailoutbox)
