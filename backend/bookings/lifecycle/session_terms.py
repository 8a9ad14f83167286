"""What settles a session, whoever decides it: who, when and where, what it costs, who pays, and by when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from backend.bookings import policy, sponsors
from backend.bookings.guarantees import held_session, payment_terms
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import Approved
from backend.bookings.lifecycle.notify import notify_confirmed, notify_visitor
from backend.bookings.lifecycle.transaction import run_transition
from backend.bookings.models import Booking, GuardianProof, Mode
from backend.bookings.notices import Notice
from backend.core import batched_writes
from backend.core.errors import Code, Refused
from backend.outbox import holds, renewals
from backend.outbox.models import Message
from backend.people.models import Location, Psychologist
from backend.scheduling import claims
from backend.scheduling.free_slots import fit_hours, terms_of

Decision: TypeAlias = tuple[Callable[[], None], Callable[..., None]]  # the step, and what tells of it

AMOUNT_MOST_PAISE = 100_000_00  # one lakh rupees; a typing error above it is likelier than a session


@dataclass(frozen=True)
class GuardianConsent:
    """Who consented for a minor, as `Meera Rao, mother`, and how staff know it."""

    name: str
    proof: GuardianProof


@dataclass(frozen=True)
class Approval:
    """What staff decide. Empty `meeting_link` and `location_id` mean the psychologist's own; no amount, the fee."""

    psychologist_id: int | None
    slot_start: datetime | None  # none: to be found, by `first_fit`
    slot_length: timedelta | None = None
    amount_paise: int | None = None
    meeting_link: str = ""
    location_id: int | None = None
    guardian_consent: GuardianConsent | None = None
    despite_cancellation_request: bool = False
    despite_hours: bool = False
    keeps_place: bool = False  # the booking has its link or address already
    pay_if_not_sponsored: bool = False  # the named sponsor may have nothing left: then the visitor is asked to pay
    is_undoable: bool = False  # it can be undone for a while, and nobody is told of it before


GUARDIAN_COLUMNS = ("guardian_consent_at", "guardian_consent_by", "guardian_name", "guardian_proof")
SETTLED_BY_APPROVAL = (
    "psychologist",
    "slot_start",
    "slot_end",
    "meeting_link",
    "address",
    "amount_paise",
    "pay_by",
    *GUARDIAN_COLUMNS,
    "corporate",
    "sponsored_month",
)


def apply_approval(
    booking: Booking, psychologist: Psychologist, approval: Approval, *, actor: str, now: datetime
) -> None:
    """PENDING → APPROVED, or → CONFIRMED when nothing is to be paid up front. The caller holds both locks.

    Refuses: slot_invalid, slot_past, outside_hours, slot_too_near, slot_taken, meeting_link_required, address_required,
    guardian_consent_required, amount_invalid, sponsor_does_not_cover.
    """
    slot = slot_of(psychologist, approval, now=now)
    location_id = check_hours(booking, psychologist, slot, despite_hours=approval.despite_hours, now=now)
    if not approval.keeps_place:
        location_id = approval.location_id or location_id
        set_place(booking, psychologist, meeting_link=approval.meeting_link, location_id=location_id)
    require_guardian_consent(booking, approval.guardian_consent, actor=actor, now=now)
    amount_paise = booking.amount_paise = _amount_paise(psychologist, approval)
    booking.psychologist, booking.slot_start, booking.slot_end = psychologist, slot.start, slot.end
    payer = reserve_sponsorship(booking, may_ask=approval.pay_if_not_sponsored)
    details = Approved(psychologist.pk, amount_paise, payer.corporate, payer.not_sponsored_by)
    undo_until = policy.undo_until(now, slot.start) if approval.is_undoable else None
    is_to_pay = booking.needs_payment
    step, tell = _for_payment(booking, slot, now=now) if is_to_pay else _without_payment(booking, slot)
    claims.claim_slot(booking, slot, now=now)
    with batched_writes.batch():
        run_transition(
            booking,
            step,
            intent=Intent.APPROVE,
            actor=actor,
            now=now,
            saving=SETTLED_BY_APPROVAL,
            details=details,
            undo_until=undo_until,
        )
        tell(booking, now=now)


def _for_payment(booking: Booking, slot: claims.Slot, *, now: datetime) -> Decision:
    if slot.start - now < policy.ONLINE_PAYMENT_NOTICE:
        raise Refused(Code.SLOT_TOO_NEAR)
    booking.pay_by = time_to_pay(booking, slot.start, now=now)
    due_at = policy.payment_deadline(booking.pay_by, slot.start)
    return lambda: booking.approve(due_at=due_at), notify_approved


def _without_payment(booking: Booking, slot: claims.Slot) -> Decision:
    return lambda: booking.approve_without_payment(due_at=policy.completion(slot.end)), notify_confirmed


def notify_approved(booking: Booking, *, now: datetime) -> None:
    """The way to pay, and the reminder of it."""
    with batched_writes.batch():
        notify_visitor(booking, Notice.BOOKING_APPROVED, now=now)
        plan_payment_reminder(booking, now=now)


def plan_payment_reminder(booking: Booking, *, now: datetime) -> None:
    """The reminder to pay of the ledger's last row."""
    due = policy.payment_reminder(now, payment_terms(booking).pay_by)
    notify_visitor(booking, Notice.PAYMENT_STILL_DUE, now=now, not_before=due)


def begin_payment_reminder_anew(booking: Booking, *, now: datetime) -> None:
    """After a choice the time to pay begins anew, and what was planned before it speaks of a time that is over."""
    planned = Message.objects.filter(booking_id=booking.pk, kind=Notice.PAYMENT_STILL_DUE, not_before__gt=now)
    holds.withdraw(planned, now=now)
    plan_payment_reminder(booking, now=now)


def replan_payment_reminder(booking: Booking, *, now: datetime) -> None:
    """The time to pay has changed: its reminder comes as if it began `now`; as it was, where that time is over."""
    pay_by = payment_terms(booking).pay_by
    if pay_by > now:
        due = policy.payment_reminder(now, pay_by)
        renewals.replan(booking.pk, [Notice.PAYMENT_STILL_DUE], lambda _row: due)


def time_to_pay(booking: Booking, slot_start: datetime, *, now: datetime) -> datetime:
    """The time by which a session at `slot_start` is to be paid if it is approved or moved `now`."""
    return (policy.pay_by if booking.follows_id is None else policy.follow_up_pay_by)(now, slot_start)


def slot_of(psychologist: Psychologist, approval: Approval, *, now: datetime) -> claims.Slot:
    """The time that was decided. Refuses: slot_invalid, slot_past."""
    start = approval.slot_start
    length = terms_of(psychologist).length if approval.slot_length is None else approval.slot_length
    if start is None or not timedelta(0) < length <= policy.SESSION_LONGEST or start > now + policy.SLOT_HORIZON:
        raise Refused(Code.SLOT_INVALID)
    if start <= now:
        raise Refused(Code.SLOT_PAST)
    return claims.slot_with(psychologist, start, start + length)


def check_hours(
    booking: Booking, psychologist: Psychologist, slot: claims.Slot, *, despite_hours: bool, now: datetime
) -> int | None:
    """The place of the hours that hold this slot, where they name one. Refuses: outside_hours, unless despite them."""
    found = fit_hours(psychologist, slot.start, slot.end, mode=booking.mode)
    if found.is_outside and not despite_hours:
        near = claims.nearby_slots(slot, now=now, for_booking=booking)
        raise Refused(Code.OUTSIDE_HOURS, free_slots=near, mode=Mode(booking.mode).label.lower())
    return found.location_id


def set_place(
    booking: Booking, psychologist: Psychologist, *, meeting_link: str = "", location_id: int | None = None
) -> None:
    """Copy the meeting link or the address: a later change of the psychologist's own must not move this session.

    Refuses: meeting_link_required, address_required.
    """
    if booking.mode == Mode.ONLINE:
        booking.meeting_link = meeting_link or psychologist.meeting_link
        if not booking.meeting_link:
            raise Refused(Code.MEETING_LINK_REQUIRED)
    else:
        location_id = location_id or psychologist.location_id
        location = Location.objects.filter(pk=location_id).first() if location_id else None
        if location is None:
            raise Refused(Code.ADDRESS_REQUIRED)
        booking.address = location.address


def fee_paise(psychologist: Psychologist) -> int:
    """What a session costs unless staff say otherwise."""
    return policy.SESSION_FEE_PAISE if psychologist.fee_paise is None else psychologist.fee_paise


def least_fee_paise() -> int:
    """The least that a session costs with somebody who gives them; with nobody the practice's fee."""
    psychologists = Psychologist.objects.filter(is_active=True).only("fee_paise")
    return min(map(fee_paise, psychologists), default=policy.SESSION_FEE_PAISE)


def require_guardian_consent(booking: Booking, consent: GuardianConsent | None, *, actor: str, now: datetime) -> None:
    """A minor's guardian must have consented, now or as was recorded before. Refuses: guardian_consent_required."""
    if not booking.lacks_consent:
        return
    if consent is None or not consent.name.strip():
        raise Refused(Code.GUARDIAN_CONSENT_REQUIRED)
    booking.guardian_name, booking.guardian_proof = consent.name.strip(), consent.proof
    booking.guardian_consent_at, booking.guardian_consent_by = now, actor


def _amount_paise(psychologist: Psychologist, approval: Approval) -> int:
    amount = fee_paise(psychologist) if approval.amount_paise is None else approval.amount_paise
    if not 0 <= amount <= AMOUNT_MOST_PAISE:
        raise Refused(Code.AMOUNT_INVALID)
    return amount


@dataclass(frozen=True)
class Payer:
    """The sponsor that pays for a session, or the one that does not cover it, so that the visitor is asked to."""

    corporate: int | None = None
    not_sponsored_by: int | None = None


def reserve_sponsorship(booking: Booking, *, may_ask: bool) -> Payer:
    """Reserve from the named sponsor; if it does not cover the session and we `may_ask`, the visitor pays.

    The caller saves `corporate` and `sponsored_month`. Refuses: sponsor_does_not_cover.
    """
    if booking.corporate_id is None or booking.amount_paise == 0:
        return Payer()
    named = booking.corporate_id
    try:
        sponsors.reserve(booking, held_session(booking).start)
    except Refused:
        if not may_ask:
            raise
        booking.corporate = None
        return Payer(not_sponsored_by=named)
    return Payer(corporate=named)
