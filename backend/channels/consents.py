"""What people chose: a channel for a purpose, or mail, which needs no consent and is always there."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from backend.channels.channel import ChannelName
from backend.channels.models import Consent, Purpose
from backend.channels.names import ReminderWay

MAIL = ReminderWay.EMAIL.value


def of(client_ids: Collection[int], purpose: Purpose) -> dict[int, Consent]:
    """The consent that stands of each of these people who gave one. One query."""
    found = Consent.objects.filter(client__in=client_ids, purpose=purpose, withdrawn_at=None)
    return {consent.client_id: consent for consent in found}


def of_booking(booking_id: int, purpose: Purpose) -> Consent | None:
    """The consent that stands of whoever has this booking."""
    return Consent.objects.filter(client__bookings=booking_id, purpose=purpose, withdrawn_at=None).first()


def choose(
    client_id: int,
    purpose: Purpose,
    channel: ChannelName | None,
    *,
    phone_number: str,
    by: str,
    notice_version: str,
    now: datetime,
) -> bool:
    """From now on by this channel, to this number; None: by mail. False: it was so. The caller locks the client."""
    stands = Consent.objects.filter(client=client_id, purpose=purpose, withdrawn_at=None).first()
    if stands is None and channel is None:
        return False
    if stands is not None and (stands.channel, stands.phone_number) == (channel, phone_number):
        return False
    withdraw(client_id, by=by, now=now, purpose=purpose)
    if channel is not None:
        Consent.objects.create(
            client_id=client_id,
            purpose=purpose,
            channel=channel,
            phone_number=phone_number,
            given_at=now,
            given_by=by,
            notice_version=notice_version,
        )
    return True


def withdraw(client_id: int, *, by: str, now: datetime, purpose: Purpose | None = None) -> bool:
    """Of this person, for this purpose or for all."""
    theirs = Consent.objects.filter(client=client_id, withdrawn_at=None)
    if purpose is not None:
        theirs = theirs.filter(purpose=purpose)
    return theirs.update(withdrawn_at=now, withdrawn_by=by) > 0


def withdraw_number(phone_number: str, *, by: str, now: datetime) -> int:
    """Of whoever has this number, for every purpose: how many consents that were."""
    theirs = Consent.objects.filter(phone_number=phone_number, withdrawn_at=None)
    return theirs.update(withdrawn_at=now, withdrawn_by=by)


def renumber(client_id: int, phone_number: str, *, by: str, notice_version: str, now: datetime) -> None:
    """Who corrects their number means it for what they chose, too."""
    for stands in Consent.objects.filter(client=client_id, withdrawn_at=None):
        choose(
            client_id,
            Purpose(stands.purpose),
            ChannelName(stands.channel),
            phone_number=phone_number,
            by=by,
            notice_version=notice_version,
            now=now,
        )


def forget(client_ids: Collection[int]) -> None:
    """All of them, before the people themselves go."""
    Consent.objects.filter(client__in=client_ids).delete()
