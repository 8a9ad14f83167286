"""By which channel somebody is reminded: chosen by themselves, told to staff, or ended by a STOP."""

from __future__ import annotations

import logging
from datetime import datetime

from backend.audit import own_data
from backend.bookings import actors
from backend.bookings.guarantees import client_id_of
from backend.bookings.lifecycle.erasure_requests import lock_person
from backend.bookings.lifecycle.transaction import VISITOR, intent, lock_booking, lock_client
from backend.bookings.models import Booking
from backend.channels import adapters, consents
from backend.channels.channel import ChannelName
from backend.channels.models import Purpose
from backend.core.errors import Code, Refused
from backend.people.models import Client
from backend.people.privacy_notice import IN_FORCE

log = logging.getLogger(__name__)
STOP = "stop"  # who withdrew: whoever has the number, by a message


def parse(choice: str) -> ChannelName | None:
    """What a door was sent; None is mail. Refuses: channel_unavailable, of one that is not configured."""
    if choice == consents.MAIL:
        return None
    if choice not in adapters.configured():
        raise Refused(Code.CHANNEL_UNAVAILABLE)
    return ChannelName(choice)


@intent
def choose_reminders(token: str, choice: str, *, now: datetime) -> bool:
    """No transition: by *Your data*, to the number that stands there. False: it was so.

    Refuses: link_unknown, link_expired, channel_unavailable, phone_required.
    """
    _, person = own_data.proved_by(token, now=now)
    channel = parse(choice)
    client = lock_person(person.pk)
    return _choose(client, channel, client.phone_number, by=VISITOR, now=now)


@intent
def record_reminders(booking_id: int, choice: str, *, actor: str, now: datetime) -> bool:
    """No transition: as the visitor told staff, to the booking's number. False: it was so.

    Refuses: booking_unknown, channel_unavailable, phone_required.
    """
    channel = parse(choice)
    found = Booking.objects.filter(pk=booking_id, client__isnull=False).only("pk", "client").first()
    if found is None:
        raise Refused(Code.BOOKING_UNKNOWN)
    client = lock_client(client_id_of(found))
    booking = lock_booking(booking_id)
    is_new = _choose(client, channel, booking.phone_number, by=actor, now=now)
    if is_new:
        log.info("%s is reminded by %s, as told to %s", booking.acknowledgement_id, choice, actors.describe(actor))
    return is_new


@intent
def stop_texts(phone_number: str, *, now: datetime) -> bool:
    """No transition: nothing more goes to this number; what was to go there goes by mail. False: nothing went there."""
    stopped = consents.withdraw_number(phone_number, by=STOP, now=now)
    if stopped:
        log.info("%d consents were withdrawn by a message", stopped)
    return stopped > 0


def keep_choice(booking: Booking, *, now: datetime) -> None:
    """What a request says of it holds once its address is proved; one that says nothing changes nothing.

    The caller locks the client. A channel that is offered no more changes nothing either.
    """
    if booking.reminders_by == consents.MAIL or booking.reminders_by in adapters.configured():
        consents.choose(
            client_id_of(booking),
            Purpose.REMINDERS,
            parse(booking.reminders_by),
            phone_number=booking.phone_number,
            by=VISITOR,
            notice_version=booking.notice_version,
            now=now,
        )


def _choose(client: Client, channel: ChannelName | None, phone_number: str, *, by: str, now: datetime) -> bool:
    if channel is not None and not phone_number:
        raise Refused(Code.PHONE_REQUIRED)
    return consents.choose(
        client.pk,
        Purpose.REMINDERS,
        channel,
        phone_number=phone_number,
        by=by,
        notice_version=IN_FORCE.version,
        now=now,
    )
