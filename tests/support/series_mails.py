"""A series of a client who is treated, and the mails that tell of it."""

from __future__ import annotations

import smtplib
from datetime import datetime, timedelta
from typing import Any

import time_machine
from django.core.mail import EmailMessage

from backend.bookings.lifecycle import follow_ups
from backend.bookings.lifecycle.follow_ups import Rhythm, Series
from backend.bookings.models import Booking
from backend.outbox.models import Message, MessageState, Queue
from tests.support.mails import html_of
from workers import mail

STAFF: dict[str, Any] = {"actor": "staff:desk"}
DAY, WEEK = timedelta(days=1), timedelta(days=7)


class Provider:
    """Keeps what it was handed; hangs up after the text of the first, if it is told to."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.hangs_up = False

    def send_messages(self, mails: list[EmailMessage]) -> int:
        self.taken += mails
        if self.hangs_up:
            raise smtplib.SMTPServerDisconnected("gone")
        return len(mails)

    def about(self, booking: Booking) -> list[str]:
        """The subjects of the visitor's mails, in the order in which they left."""
        return [one.subject for one in self.taken if one.to == [booking.email]]


def book(last: Booking, number: int, *, now: datetime, **changes: Any) -> list[Booking]:
    wanted = Series(Rhythm(number, WEEK), **changes)
    places = follow_ups.book_series(last.pk, wanted, now=now, **STAFF)
    return [place.booking for place in places if place.booking]


def due(now: datetime) -> list[Message]:
    return list(
        Message.objects.filter(queue=Queue.MAIL, state=MessageState.WAITING, not_before__lte=now).order_by("pk")
    )


def drain(at: datetime) -> None:
    with time_machine.travel(at, tick=False):
        mail.drain()


def referred_to(mail: EmailMessage, bookings: list[Booking]) -> list[int]:
    """Which of them it speaks of, in both of its bodies."""
    bodies = mail.subject + mail.body, mail.subject + html_of(mail)
    told, shown = ([number for number, one in enumerate(bookings) if str(one) in text] for text in bodies)
    assert told == shown
    return told
