"""What staff intend with a request: approve it with psychologist, slot and amount, reject it, move its session."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from backend.bookings import policy
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import Rejected
from backend.bookings.lifecycle.alternatives import OfferedSlot, record_alternatives
from backend.bookings.lifecycle.notify import notify_visitor
from backend.bookings.lifecycle.session_terms import (
    GUARDIAN_COLUMNS,
    Approval,
    GuardianConsent,
    apply_approval,
    require_guardian_consent,
)
from backend.bookings.lifecycle.transaction import (
    intent,
    lock_booking,
    locking_booking,
    run_transition,
)
from backend.bookings.machine import Reason, State
from backend.bookings.models import Booking
from backend.bookings.notices import Notice
from backend.core import row_locks
from backend.core.errors import Code, Refused
from backend.people.models import Psychologist
from backend.scheduling import claims


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
    psychologist: Psychologist | None
    booking: Booking
    psychologist, booking = row_locks.take(
        claims.locking_psychologist(approval.psychologist_id), locking_booking(booking_id)
    )
    if booking.state != State.PENDING:
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    if psychologist is None or not psychologist.is_active:
        raise Refused(Code.PSYCHOLOGIST_REQUIRED)
    if booking.cancellation_requested_at is not None and not approval.despite_cancellation_request:
        raise Refused(Code.CANCELLATION_PENDING)
    apply_approval(booking, psychologist, approval, actor=actor, now=now)
    return booking


@intent
def reject(
    booking_id: int,
    *,
    note_to_visitor: str,
    offers: Sequence[OfferedSlot] = (),
    guardian_consent: GuardianConsent | None = None,
    actor: str,
    now: datetime,
    is_undoable: bool = False,
) -> Booking:
    """PENDING → REJECTED, with up to three free times that the visitor may take instead; nobody holds them.

    It can be undone for a while if it `is_undoable`.

    Refuses: booking_unknown, state_refuses, too_many_alternatives, psychologist_required, slot_invalid, slot_past,
    outside_hours, slot_taken, meeting_link_required, address_required, guardian_consent_required, no_address (whoever
    has none cannot take a time by a link).
    """
    psychologists = claims.lock_psychologists([offer.psychologist_id for offer in offers])
    booking = lock_booking(booking_id)
    if booking.state != State.PENDING:
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    booking.note_to_visitor = note_to_visitor.strip()
    if offers and not booking.email:
        raise Refused(Code.NO_ADDRESS)
    if offers:
        require_guardian_consent(booking, guardian_consent, actor=actor, now=now)
    alternatives = record_alternatives(booking, offers, psychologists, now=now)
    run_transition(
        booking,
        lambda: booking.reject(reason=Reason.DECLINED, now=now),
        intent=Intent.REJECT,
        actor=actor,
        now=now,
        saving=["note_to_visitor", *GUARDIAN_COLUMNS],
        details=Rejected(alternatives=len(alternatives)),
        undo_until=policy.undo_until(now, None) if is_undoable else None,
    )
    notify_visitor(booking, Notice.BOOKING_REJECTED, now=now)
    return booking
