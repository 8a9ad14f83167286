"""What staff intend with a request: approve it with psychologist, slot and amount, reject it, move its session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.bookings import links, policy, slots
from backend.bookings.lifecycle.steps import (
    announce_confirmed,
    intent,
    lock_booking,
    note,
    owe_reminders,
    step,
    tell_psychologist,
    tell_visitor,
)
from backend.bookings.machine import HOLDS_SLOT, Notice, Reason, State
from backend.bookings.models import Booking, Mode, Outcome, Purpose
from backend.errors import Code, Refused
from backend.people.models import Location, Psychologist

AMOUNT_MOST_PAISE = 100_000_00  # one lakh rupees; a typing error above it is likelier than a session


@dataclass(frozen=True)
class Approval:
    """What staff decide. Empty `meeting_link` and `location_id` mean the psychologist's own; no amount, the fee."""

    psychologist_id: int | None
    slot_start: datetime
    slot_length: timedelta | None = None
    amount_paise: int | None = None
    meeting_link: str = ""
    location_id: int | None = None
    guardian_consent: bool = False
    despite_cancellation_request: bool = False


SETTLED_BY_APPROVAL = (
    "psychologist",
    "slot_start",
    "slot_end",
    "meeting_link",
    "address",
    "amount_paise",
    "pay_by",
    "guardian_consent_at",
    "guardian_consent_by",
)


@intent
def approve(booking_id: int, approval: Approval, *, actor: str, now: datetime) -> Booking:
    """PENDING → APPROVED, or → CONFIRMED when nothing is to be paid up front.

    Refuses: booking_unknown, state_refuses, psychologist_required, slot_invalid, slot_past, slot_too_near, slot_taken,
    meeting_link_required, address_required, guardian_consent_required, amount_invalid, cancellation_pending (the
    visitor asked to cancel and has not proved it yet: staff look twice).
    """
    if approval.psychologist_id is None:
        raise Refused(Code.PSYCHOLOGIST_REQUIRED)
    psychologist = slots.lock_psychologists([approval.psychologist_id]).get(approval.psychologist_id)
    booking = lock_booking(booking_id)
    if booking.state != State.PENDING:
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    if psychologist is None or not psychologist.is_active:
        raise Refused(Code.PSYCHOLOGIST_REQUIRED)
    if booking.cancellation_requested_at is not None and not approval.despite_cancellation_request:
        raise Refused(Code.CANCELLATION_PENDING)
    slot = _slot(approval, now=now)
    _settle_place(booking, psychologist, approval)
    _settle_consent(booking, approval, actor=actor, now=now)
    _settle_amount(booking, psychologist, approval)
    booking.psychologist, booking.slot_start, booking.slot_end = psychologist, slot.start, slot.end
    if _needs_payment(booking):
        _approve_for_payment(booking, slot, actor=actor, now=now)
    else:
        slots.claim(booking, slot, now=now)
        step(
            booking,
            lambda: booking.approve_without_payment(due_at=policy.completion(slot.end)),
            intent="approve",
            actor=actor,
            now=now,
            saving=SETTLED_BY_APPROVAL,
            details={"psychologist": psychologist.pk, "amount_paise": booking.amount_paise},
        )
        announce_confirmed(booking, now=now)
    return booking


@intent
def reject(booking_id: int, *, note_to_visitor: str, actor: str, now: datetime) -> Booking:
    """PENDING → REJECTED. Refuses: booking_unknown, state_refuses."""
    booking = lock_booking(booking_id)
    booking.note_to_visitor = note_to_visitor.strip()
    step(
        booking,
        lambda: booking.reject(reason=Reason.DECLINED, now=now),
        intent="reject",
        actor=actor,
        now=now,
        saving=["note_to_visitor"],
    )
    tell_visitor(booking, Notice.BOOKING_REJECTED, now=now)
    return booking


@dataclass(frozen=True)
class Move:
    """A new time, and if staff wish another psychologist or place."""

    slot_start: datetime
    psychologist_id: int | None = None
    slot_length: timedelta | None = None
    meeting_link: str = ""
    location_id: int | None = None


SETTLED_BY_MOVE = (
    "psychologist",
    "slot_start",
    "slot_end",
    "meeting_link",
    "address",
    "pay_by",
    "due_at",
    "moved_by_staff_at",
    "outcome",
)


@intent
def reschedule(booking_id: int, move: Move, *, actor: str, now: datetime) -> Booking:
    """No transition: APPROVED, PAYMENT_PENDING or CONFIRMED in place, same id and payment; `pay_by` only ever shortens.

    Refuses: booking_unknown, state_refuses, psychologist_required, slot_invalid, slot_past, slot_taken,
    meeting_link_required, address_required.
    """
    held = Booking.objects.filter(pk=booking_id).values_list("psychologist_id", flat=True).first()
    wanted_id = move.psychologist_id or held
    locked = slots.lock_psychologists([pk for pk in (held, wanted_id) if pk is not None])
    booking = lock_booking(booking_id)
    if booking.state not in HOLDS_SLOT:
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    if booking.psychologist_id != held:  # moved by somebody else between our look and our lock
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    psychologist = locked.get(wanted_id) if wanted_id is not None else None
    if psychologist is None or not psychologist.is_active:
        raise Refused(Code.PSYCHOLOGIST_REQUIRED)
    before = locked[held] if held is not None else psychologist
    assert booking.slot_start is not None
    assert booking.slot_end is not None
    length = booking.slot_end - booking.slot_start if move.slot_length is None else move.slot_length
    place = Approval(psychologist.pk, move.slot_start, length, None, move.meeting_link, move.location_id)
    slot = _slot(place, now=now)
    if psychologist.pk != held or move.meeting_link or move.location_id:
        _settle_place(booking, psychologist, place)
    slots.move(booking, slot, now=now)
    details: dict[str, object] = {
        "from": booking.slot_start.isoformat(),
        "to": slot.start.isoformat(),
        "from_psychologist": held,
        "to_psychologist": psychologist.pk,
    }
    booking.psychologist, booking.slot_start, booking.slot_end = psychologist, slot.start, slot.end
    booking.moved_by_staff_at = now
    booking.outcome = Outcome.UNRECORDED  # what was recorded is of the time before; the ledger keeps it
    _shorten_deadline(booking, now=now)
    note(booking, intent="reschedule", actor=actor, now=now, saving=SETTLED_BY_MOVE, details=details)
    _announce_move(booking, before, now=now)
    return booking


def _shorten_deadline(booking: Booking, *, now: datetime) -> None:
    """The deadlines that depend on the slot; the time to pay is never longer for a move."""
    assert booking.slot_start is not None
    assert booking.slot_end is not None
    if booking.state == State.CONFIRMED:
        booking.due_at = policy.completion(booking.slot_end)
        return
    assert booking.pay_by is not None
    assert booking.due_at is not None
    booking.pay_by = min(booking.pay_by, policy.pay_by(now, booking.slot_start))
    booking.due_at = min(booking.due_at, policy.payment_deadline(booking.pay_by, booking.slot_start))


def _announce_move(booking: Booking, before: Psychologist, *, now: datetime) -> None:
    """Both sides hear; links that spoke of the old time die; the reminders of the new time are owed."""
    links.end(booking, Purpose.CANCEL_LATE, now=now)
    tell_visitor(booking, Notice.BOOKING_MOVED, now=now)
    if booking.state != State.CONFIRMED:
        return
    owe_reminders(booking, now=now)
    if before.pk != booking.psychologist_id:
        tell_psychologist(booking, Notice.PSYCHOLOGIST_SESSION_CANCELLED, now=now, who=before)
        tell_psychologist(booking, Notice.PSYCHOLOGIST_SESSION_CONFIRMED, now=now)
    else:
        tell_psychologist(booking, Notice.PSYCHOLOGIST_SESSION_MOVED, now=now)


def _approve_for_payment(booking: Booking, slot: slots.Slot, *, actor: str, now: datetime) -> None:
    if slot.start - now < policy.ONLINE_PAYMENT_NOTICE:
        raise Refused(Code.SLOT_TOO_NEAR)
    slots.claim(booking, slot, now=now)
    booking.pay_by = policy.pay_by(now, slot.start)
    due_at = policy.payment_deadline(booking.pay_by, slot.start)
    step(
        booking,
        lambda: booking.approve(due_at=due_at),
        intent="approve",
        actor=actor,
        now=now,
        saving=SETTLED_BY_APPROVAL,
        details={"psychologist": slot.psychologist_id, "amount_paise": booking.amount_paise},
    )
    tell_visitor(booking, Notice.BOOKING_APPROVED, now=now)
    tell_visitor(booking, Notice.PAYMENT_STILL_DUE, now=now, not_before=policy.half_time(now, booking.pay_by))


def _slot(approval: Approval, *, now: datetime) -> slots.Slot:
    assert approval.psychologist_id is not None
    length = policy.SESSION_LENGTH if approval.slot_length is None else approval.slot_length
    if not timedelta(0) < length <= policy.SESSION_LONGEST or approval.slot_start > now + policy.SLOT_HORIZON:
        raise Refused(Code.SLOT_INVALID)
    if approval.slot_start <= now:
        raise Refused(Code.SLOT_PAST)
    return slots.Slot(approval.psychologist_id, approval.slot_start, approval.slot_start + length)


def _settle_place(booking: Booking, psychologist: Psychologist, approval: Approval) -> None:
    """Copy the meeting link or the address: a later change of the psychologist's own must not move this session."""
    if booking.mode == Mode.ONLINE:
        booking.meeting_link = approval.meeting_link or psychologist.meeting_link
        if not booking.meeting_link:
            raise Refused(Code.MEETING_LINK_REQUIRED)
    else:
        location_id = approval.location_id or psychologist.location_id
        location = Location.objects.filter(pk=location_id).first() if location_id else None
        if location is None:
            raise Refused(Code.ADDRESS_REQUIRED)
        booking.address = location.address


def _settle_consent(booking: Booking, approval: Approval, *, actor: str, now: datetime) -> None:
    if booking.age is not None and booking.age < policy.ADULT_AGE:
        if not approval.guardian_consent:
            raise Refused(Code.GUARDIAN_CONSENT_REQUIRED)
        booking.guardian_consent_at, booking.guardian_consent_by = now, actor


def _settle_amount(booking: Booking, psychologist: Psychologist, approval: Approval) -> None:
    fee = policy.SESSION_FEE_PAISE if psychologist.fee_paise is None else psychologist.fee_paise
    amount = fee if approval.amount_paise is None else approval.amount_paise
    if not 0 <= amount <= AMOUNT_MOST_PAISE:
        raise Refused(Code.AMOUNT_INVALID)
    booking.amount_paise = amount


def _needs_payment(booking: Booking) -> bool:
    return not (booking.is_due_at_practice or booking.is_sponsored or booking.amount_paise == 0)
