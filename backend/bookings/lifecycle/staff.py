"""What staff intend with a request: approve it with psychologist, slot and amount, reject it, move its session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.bookings import slots
from backend.bookings.lifecycle.alternatives import Offer, record_offers
from backend.bookings.lifecycle.moving import relocate
from backend.bookings.lifecycle.sessions import Approval, look_twice, settle_consent, settle_place, slot_of, take_on
from backend.bookings.lifecycle.steps import intent, lock_booking, step, tell_visitor
from backend.bookings.machine import HOLDS_SLOT, Notice, Reason, State
from backend.bookings.models import Booking
from backend.errors import Code, Refused


@intent
def approve(booking_id: int, approval: Approval, *, actor: str, now: datetime) -> Booking:
    """PENDING → APPROVED, or → CONFIRMED when nothing is to be paid up front.

    Refuses: booking_unknown, state_refuses, psychologist_required, slot_invalid, slot_past, outside_hours (unless staff
    looked twice), slot_too_near, slot_taken, meeting_link_required, address_required, guardian_consent_required,
    amount_invalid, sponsor_does_not_cover (unless staff said that the visitor pays then), cancellation_pending (the
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
    take_on(booking, psychologist, approval, actor=actor, now=now)
    return booking


@intent
def reject(
    booking_id: int,
    *,
    note_to_visitor: str,
    offers: Sequence[Offer] = (),
    guardian_consent: bool = False,
    actor: str,
    now: datetime,
) -> Booking:
    """PENDING → REJECTED, with up to three free times that the visitor may take instead; nobody holds them.

    Refuses: booking_unknown, state_refuses, too_many_alternatives, psychologist_required, slot_invalid, slot_past,
    outside_hours, slot_taken, meeting_link_required, address_required, guardian_consent_required.
    """
    psychologists = slots.lock_psychologists([offer.psychologist_id for offer in offers])
    booking = lock_booking(booking_id)
    if booking.state != State.PENDING:
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    booking.note_to_visitor = note_to_visitor.strip()
    if offers:
        settle_consent(booking, is_given=guardian_consent, actor=actor, now=now)
    alternatives = record_offers(booking, offers, psychologists, now=now)
    step(
        booking,
        lambda: booking.reject(reason=Reason.DECLINED, now=now),
        intent="reject",
        actor=actor,
        now=now,
        saving=["note_to_visitor", "guardian_consent_at", "guardian_consent_by"],
        details={"alternatives": len(alternatives)} if alternatives else None,
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
    despite_hours: bool = False


@intent
def reschedule(booking_id: int, move: Move, *, actor: str, now: datetime) -> Booking:
    """No transition: APPROVED, PAYMENT_PENDING or CONFIRMED in place, same id and payment; `pay_by` only ever shortens.

    Refuses: booking_unknown, state_refuses, psychologist_required, slot_invalid, slot_past, outside_hours (unless staff
    looked twice, or only the place changes), slot_taken, meeting_link_required, address_required, month_not_sponsored.
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
    place = Approval(psychologist.pk, move.slot_start, length)
    slot = slot_of(psychologist, place, now=now)
    is_same_time = (psychologist.pk, slot.start, slot.end) == (held, booking.slot_start, booking.slot_end)
    despite_hours = move.despite_hours or is_same_time
    location_id = look_twice(booking, psychologist, slot, despite_hours=despite_hours, now=now)
    location_id = move.location_id or (None if is_same_time else location_id)
    if psychologist.pk != held or move.meeting_link or location_id:
        settle_place(booking, psychologist, meeting_link=move.meeting_link, location_id=location_id)
    booking.moved_by_staff_at = now
    relocate(booking, before, psychologist, slot, actor=actor, now=now)
    return booking
