"""Times that a rejection offers instead: recorded with it, held by nobody, and taken by one of the mailed links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.bookings import links, policy
from backend.bookings.guarantees import client_id_of
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import AlternativeTaken
from backend.bookings.lifecycle.creation import Draft, active_booking, build_approved, insert, keep_consents
from backend.bookings.lifecycle.payments import confirm
from backend.bookings.lifecycle.session_terms import (
    Approval,
    check_hours,
    fee_paise,
    notify_approved,
    reserve_sponsorship,
    set_place,
    slot_of,
    time_to_pay,
)
from backend.bookings.lifecycle.transaction import VISITOR, intent, lock_client, write_ledger
from backend.bookings.models import Alternative, Booking, Link, Purpose
from backend.core.errors import Code, Refused, required
from backend.people.models import Client, Psychologist
from backend.scheduling import claims

ALTERNATIVES_MOST = 3  # more are no help to somebody who has to choose


@dataclass(frozen=True)
class OfferedSlot:
    """A time that staff offer; no length means the psychologist's usual one."""

    psychologist_id: int
    slot_start: datetime
    slot_length: timedelta | None = None
    despite_hours: bool = False


def record_alternatives(
    booking: Booking, offers: Sequence[OfferedSlot], psychologists: Mapping[int, Psychologist], *, now: datetime
) -> list[Alternative]:
    """The caller holds the psychologists' locks. The price is today's fee, as the mail names it.

    Refuses: too_many_alternatives, psychologist_required, slot_invalid, slot_past, outside_hours, slot_taken,
    meeting_link_required, address_required.
    """
    if len(offers) > ALTERNATIVES_MOST:
        raise Refused(Code.TOO_MANY_ALTERNATIVES)
    found = []
    for number, offer in enumerate(offers, start=1):
        psychologist = psychologists.get(offer.psychologist_id)
        if psychologist is None or not psychologist.is_active:
            raise Refused(Code.PSYCHOLOGIST_REQUIRED)
        slot = slot_of(psychologist, Approval(psychologist.pk, offer.slot_start, offer.slot_length), now=now)
        location_id = check_hours(booking, psychologist, slot, despite_hours=offer.despite_hours, now=now)
        if not claims.is_free(slot, for_booking=booking):
            raise Refused(Code.SLOT_TAKEN, free_slots=claims.nearby_slots(slot, now=now, for_booking=booking))
        set_place(copy(booking), psychologist, location_id=location_id)  # only to see that there is one
        found.append(
            Alternative.objects.create(
                booking=booking,
                number=number,
                psychologist=psychologist,
                slot_start=slot.start,
                slot_end=slot.end,
                amount_paise=fee_paise(psychologist),
            )
        )
    return found


@intent
def take_alternative(token: str, *, now: datetime) -> Booking:
    """∅ → APPROVED, or on → CONFIRMED when nothing is to be paid up front. Spends the link; its siblings end with it.

    A link that was used, or ended because a sibling was, shows the booking that came of it. Refuses: link_unknown,
    link_expired, already_active, slot_taken, slot_too_near, meeting_link_required, address_required.
    """
    link = links.find(token, Purpose.ALTERNATIVE)
    alternative, rejected = required(link.alternative, "alternative", link), link.booking
    client = lock_client(client_id_of(rejected))
    psychologist = claims.lock_psychologists([alternative.psychologist_id])[alternative.psychologist_id]
    taken = links.taken_of(link)
    if taken is not None:
        return taken
    if not links.spend(link, now=now):
        raise Refused(Code.LINK_EXPIRED)
    if active_booking(client) is not None:
        raise Refused(Code.ALREADY_ACTIVE)
    if not psychologist.is_active:
        raise Refused(Code.SLOT_TAKEN)
    return _take(client, rejected, alternative, psychologist, now=now)


def _take(
    client: Client, rejected: Booking, alternative: Alternative, psychologist: Psychologist, *, now: datetime
) -> Booking:
    slot = claims.of_alternative(alternative)
    booking = build_approved(client, Draft.of(rejected), slot, amount_paise=alternative.amount_paise, now=now)
    keep_consents(booking, rejected)
    booking.corporate_id = rejected.corporate_id
    location_id = check_hours(booking, psychologist, slot, despite_hours=True, now=now)
    set_place(booking, psychologist, location_id=location_id)
    payer = reserve_sponsorship(booking, may_ask=True)
    details = AlternativeTaken(
        instead_of=rejected.pk,
        alternative=alternative.number,
        psychologist=psychologist.pk,
        amount_paise=booking.amount_paise,
        corporate=payer.corporate,
        not_sponsored_by=payer.not_sponsored_by,
    )
    must_pay = booking.needs_payment
    if must_pay:
        if alternative.slot_start - now < policy.ONLINE_PAYMENT_NOTICE:
            raise Refused(Code.SLOT_TOO_NEAR)
        booking.pay_by = time_to_pay(booking, alternative.slot_start, now=now)
        booking.due_at = policy.payment_deadline(booking.pay_by, alternative.slot_start)
    insert(booking)
    claims.claim_slot(booking, slot, now=now)
    alternative.taken_by = booking
    alternative.save(update_fields=["taken_by"])
    write_ledger(booking, intent=Intent.TAKE_ALTERNATIVE, source="", actor=VISITOR, now=now, details=details)
    if must_pay:
        notify_approved(booking, now=now)
    else:
        paid_by = AlternativeTaken(corporate=booking.corporate_id)
        confirm(booking, (), intent=Intent.TAKE_ALTERNATIVE, details=paid_by, actor=VISITOR, now=now)
    return booking


@dataclass(frozen=True)
class OfferedTime:
    """One of the times that a rejection offered, as it stands now, with the token of its own link."""

    alternative: Alternative
    token: str
    is_free: bool
    is_asked: bool  # it is this link's


@dataclass(frozen=True)
class AlternativeOffers:
    """What a link in a rejection can do, or what came of it."""

    offered: list[OfferedTime]
    taken: Booking | None


def alternative_offers(token: str, *, now: datetime) -> AlternativeOffers:
    """The times that came in the same mail. Refuses: link_unknown, link_expired."""
    link = links.find(token, Purpose.ALTERNATIVE)
    taken = links.taken_of(link)
    if taken is not None:
        return AlternativeOffers([], taken)
    if link.expires_at is None or link.expires_at <= now:
        raise Refused(Code.LINK_EXPIRED)
    tokens, offered = _tokens_of_its_mail(link), []
    for row in Alternative.objects.filter(booking=link.booking).select_related("psychologist"):
        is_asked = row.pk == link.alternative_id
        own = token if is_asked else tokens.get(links.alternative_token_name(row.number))
        if own is not None:
            offered.append(OfferedTime(row, own, claims.is_alternative_free(row, now=now), is_asked))
    return AlternativeOffers(offered, None)


def _tokens_of_its_mail(link: Link) -> dict[str, str]:
    """By the names of `links`; none when their key is gone: each still works for whoever has the mail."""
    try:
        return links.tokens_of(link.message_uuid)
    except links.KeyGone:
        return {}
