"""Mailed links: a token is derived, never stored.

token = HMAC-SHA256(TOKEN_KEY[i], purpose || uuid of the outbox row), base64url. The mail worker derives it again, so a
retry sends the same bytes; the database keeps only its SHA-256 and i.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from uuid import UUID

from django.conf import settings

from backend.bookings import policy
from backend.bookings.machine import Notice, Reason, State
from backend.bookings.models import Booking, Link, Purpose
from backend.errors import Code, Refused

CARRIED_BY = {
    Notice.DRAFT_SUBMITTED: Purpose.BOOKING,
    Notice.DRAFT_STILL_UNVERIFIED: Purpose.BOOKING,
    Notice.ALREADY_BOOKED: Purpose.BOOKING,
    Notice.LINK_REQUESTED: Purpose.BOOKING,
    Notice.BOOKING_RECEIVED: Purpose.BOOKING,
    Notice.BOOKING_APPROVED: Purpose.BOOKING,
    Notice.PAYMENT_STILL_DUE: Purpose.BOOKING,
    Notice.BOOKING_CONFIRMED: Purpose.BOOKING,
    Notice.SESSION_APPROACHING: Purpose.BOOKING,
    Notice.SESSION_IMMINENT: Purpose.BOOKING,
}


def issue(
    booking: Booking, purpose: Purpose, message_uuid: UUID, *, now: datetime, expires_at: datetime | None
) -> None:
    """Store the digest of the token that this message will carry."""
    key_index = len(settings.TOKEN_KEY) - 1
    Link.objects.create(
        booking=booking,
        purpose=purpose,
        message_uuid=message_uuid,
        digest=digest(_derive(purpose, message_uuid, key_index)),
        key_index=key_index,
        created_at=now,
        expires_at=expires_at,
    )


def token_of(message_uuid: UUID) -> str:
    """The token a message carries, derived again; empty if it carries none."""
    link = Link.objects.filter(message_uuid=message_uuid).first()
    return _derive(Purpose(link.purpose), message_uuid, link.key_index) if link else ""


def find(token: str, purpose: Purpose) -> Link:
    """The link behind a token, with its booking. Refuses: link_unknown. Expiry is the caller's to judge."""
    link = (
        Link.objects.select_related("booking", "booking__psychologist")
        .filter(digest=digest(token), purpose=purpose)
        .first()
    )
    if link is None:
        raise Refused(Code.LINK_UNKNOWN)
    return link


def readable(link: Link, *, now: datetime) -> Booking:
    """The booking behind a booking link. Refuses: draft_lapsed, draft_superseded, link_expired."""
    booking = link.booking
    if booking.state == State.CANCELLED and booking.verified_at is None:
        raise Refused(Code.DRAFT_SUPERSEDED if booking.reason == Reason.SUPERSEDED else Code.DRAFT_LAPSED)
    if link.expires_at is not None and link.expires_at <= now:
        raise Refused(Code.DRAFT_LAPSED if booking.state == State.DRAFT else Code.LINK_EXPIRED)
    return booking


def keep_open(booking: Booking) -> None:
    """The address is proved: the booking's links live as long as it does."""
    Link.objects.filter(booking=booking, purpose=Purpose.BOOKING).update(expires_at=None)


def close(booking: Booking, *, now: datetime) -> None:
    """The booking closed: its links stay readable for a while."""
    Link.objects.filter(booking=booking, purpose=Purpose.BOOKING).update(expires_at=now + policy.LINK_KEPT_AFTER_CLOSE)


def purge(*, now: datetime) -> int:
    """Delete links that expired so long ago that nobody asks what became of them. Returns how many."""
    stale = Link.objects.filter(expires_at__lte=now - policy.LINKS_PURGED_AFTER).order_by("expires_at")
    ids = list(stale.values_list("pk", flat=True)[: policy.SWEEP_BATCH])
    return Link.objects.filter(pk__in=ids).delete()[0]


def digest(token: str) -> str:
    """SHA-256 in hex; `token` may be anything a stranger sent, lone surrogates included."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _derive(purpose: Purpose, message_uuid: UUID, key_index: int) -> str:
    key = settings.TOKEN_KEY[key_index].encode()
    mac = hmac.new(key, purpose.value.encode() + b"\0" + message_uuid.bytes, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
