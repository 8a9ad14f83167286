"""A person's way to be erased, by the links that they are mailed."""

from __future__ import annotations

from datetime import datetime

from backend.bookings import links
from backend.bookings.lifecycle import erasure_requests, visitor
from backend.bookings.models import Booking, DataRequest, Purpose
from backend.bookings.notices import Notice
from backend.outbox.models import Message


def data_token(booking: Booking, *, now: datetime) -> str:
    """Of *Your data*, as it is mailed to whoever asks for the link."""
    visitor.request_link(booking.email, now=now)
    message = Message.objects.filter(recipient=booking.email, kind=Notice.LINK_REQUESTED).latest("pk")
    return links.token_of(message.uuid, Purpose.DATA)


def asked(booking: Booking, *, now: datetime) -> DataRequest:
    return erasure_requests.ask_erasure(data_token(booking, now=now), now=now)


def erasure_token(request: DataRequest, notice: Notice = Notice.ERASURE_REQUESTED) -> str:
    """The token in the newest mail of this kind."""
    message = Message.objects.filter(subject_id=request.pk, kind=notice).latest("pk")
    return links.token_of(message.uuid, Purpose.ERASURE)


def proved(booking: Booking, *, now: datetime) -> DataRequest:
    return erasure_requests.prove_erasure(erasure_token(asked(booking, now=now)), now=now)
