"""A person withdraws the consent: nothing is sent any more that only reminds. What was booked stands, if they want."""

from __future__ import annotations

from datetime import datetime

from backend.audit import own_data
from backend.bookings.lifecycle import cancellation
from backend.bookings.lifecycle.corrections import record
from backend.bookings.lifecycle.erasure_requests import lock_person, notify_person
from backend.bookings.lifecycle.transaction import VISITOR, intent
from backend.bookings.machine import ACTIVE
from backend.bookings.models import Booking, RequestKind
from backend.bookings.notices import Notice
from backend.channels import consents


@intent
def withdraw(token: str, *, keeps_bookings: bool, now: datetime) -> bool:
    """Of all their bookings. False: some are open, and the person has not said that they stay; nothing was done.
    A mail tells that it was done.

    Refuses: link_unknown, link_expired.
    """
    asked_by, person = own_data.proved_by(token, now=now)
    client = lock_person(person.pk)
    theirs = Booking.objects.filter(client=client)
    if not keeps_bookings and theirs.filter(state__in=ACTIVE).exists():
        return False
    is_new = bool(theirs.filter(consent_withdrawn_at=None).update(consent_withdrawn_at=now))
    consents.withdraw(client.pk, by=VISITOR, now=now)
    request = record(RequestKind.WITHDRAWAL, asked_by, client, now=now)
    if is_new:
        notify_person(request, Notice.CONSENT_WITHDRAWN, to=client.email, now=now)
    return True


def open_bookings(token: str, *, now: datetime) -> list[Booking]:
    """What is asked about first. Refuses: link_unknown, link_expired."""
    _, client = own_data.proved_by(token, now=now)
    return list(Booking.objects.filter(client=client, state__in=ACTIVE).defer("user_message").order_by("pk"))


def ask_to_cancel(token: str, *, now: datetime) -> None:
    """Mails for each open booking the link that cancels it. Refuses: link_unknown, link_expired, cancel_too_late."""
    for booking in open_bookings(token, now=now):
        cancellation.request_cancellation(booking.acknowledgement_id, now=now)
