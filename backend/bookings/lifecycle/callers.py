"""Callers, of whom staff know a name and one way to reach them, which need not be a mail address.

Without an address there are no links: nothing is proved, moved or cancelled by mail, nothing is paid online, and what
others are mailed is told by telephone (`backend.outbox.by_telephone`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import connection

from backend.bookings import policy
from backend.bookings.lifecycle.creation import Draft, is_repeat
from backend.bookings.models import Booking, Origin, PaymentMode
from backend.core.errors import Code, Refused
from backend.people.models import Client

CALLERS_READ = 50  # the newest of those without an address, among whom the same call is looked for


def reachable(draft: Draft) -> Draft:
    """The draft as it can be kept: without an address it is paid at the practice. Refuses: contact_required."""
    if draft.email:
        return draft
    if not draft.phone_number:
        raise Refused(Code.CONTACT_REQUIRED)
    return replace(draft, payment_mode=PaymentMode.OFFLINE.value)


def recorded_just_now(client: Client | None, draft: Draft, *, now: datetime) -> Booking | None:
    """The booking that staff made of the very same call a moment ago. The client is locked; who has none, by number."""
    came = Booking.objects.filter(origin=Origin.STAFF, created_at__gt=now - policy.DRAFT_REPEAT_WINDOW)
    if client is not None:
        found = came.filter(client=client)
    else:
        _lock_number(draft.phone_number)
        found = came.filter(email="").order_by("-pk")[:CALLERS_READ]
    return next((booking for booking in found if is_repeat(booking, draft, now=now)), None)


def require_address(booking: Booking) -> None:
    """For what needs a mailed link. Refuses: no_address."""
    if not booking.email:
        raise Refused(Code.NO_ADDRESS)


def _lock_number(phone_number: str) -> None:
    """One at a time until commit; on SQLite everybody is."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [phone_number])
