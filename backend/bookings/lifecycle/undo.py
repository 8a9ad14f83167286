"""Taking a decision of the desk back, as long as nobody was told of it and nothing else has happened since."""

from __future__ import annotations

from datetime import date, datetime

from django.db.models import Q

from backend.bookings import links, policy, sponsors
from backend.bookings.guarantees import held_session, payment_terms, psychologist_of
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import (
    Approved,
    Cancelled,
    Undoable,
    Undone,
    details_of,
    refunds_named,
    typed_details,
)
from backend.bookings.lifecycle.refunds import GatewayWork
from backend.bookings.lifecycle.session_terms import SETTLED_BY_APPROVAL
from backend.bookings.lifecycle.transaction import intent, lock_booking, lock_client, run_transition
from backend.bookings.machine import ACTIVE, AWAITS_PAYMENT, HOLDS_SLOT, State
from backend.bookings.models import Alternative, Booking, LedgerEntry, Origin
from backend.core.errors import Code, Refused, required
from backend.outbox import holds
from backend.outbox.models import Message
from backend.payments.models import Refund, RefundState
from backend.scheduling import claims

SETTLED_BY_UNDO = (*SETTLED_BY_APPROVAL, "sponsorship_returned_at", "note_to_visitor", "refund_note")


@intent
def undo_decision(booking_id: int, *, actor: str, now: datetime) -> Booking:
    """The last decision is undone: APPROVED, CONFIRMED or REJECTED → PENDING; CANCELLED → where it was called off.

    From PAYMENT_PENDING that is APPROVED: the attempt has ended. Refuses: booking_unknown, undo_closed, already_active,
    slot_taken, sponsor_does_not_cover.
    """
    found = Booking.objects.filter(pk=booking_id).values("client_id", "psychologist_id").first()
    if found is not None and found["client_id"] is not None:
        lock_client(found["client_id"])
    if found is not None and found["psychologist_id"] is not None:
        claims.lock_psychologists([found["psychologist_id"]])
    booking = lock_booking(booking_id)
    if booking.undoable_until(now) is None:
        raise Refused(Code.UNDO_CLOSED)
    entry = LedgerEntry.objects.get(booking=booking, sequence=booking.ledger_sequence)
    refunds = refunds_named(entry)
    _withdraw(entry, refunds, now=now)
    _restore(booking, entry)
    month = _hold_again(booking, entry, now=now)
    first, *more = refunds or (None,)
    details = Undone(entry.sequence, refund=first, taken_from_sponsor=month, more_refunds=tuple(more))
    _step_back(booking, entry, details, actor=actor, now=now)
    links.reopen(booking, ended_at=entry.at)
    return booking


def _withdraw(entry: LedgerEntry, refunds: tuple[int, ...], *, now: datetime) -> None:
    """What the decision owed is not sent, and no money moves. Refuses: undo_closed, if something has begun."""
    of_it = Q(ledger_sequence=entry.sequence)
    of_it |= Q(ledger_sequence=None, kind=GatewayWork.MAKE_REFUND, subject_id__in=refunds)
    owed = Message.objects.filter(of_it, booking_id=entry.booking_id, created_at=entry.at)
    is_taken = Alternative.objects.filter(booking=entry.booking_id, taken_by__isnull=False).exists()
    if is_taken or not holds.withdraw(owed, now=now):
        raise Refused(Code.UNDO_CLOSED)
    links.forget(owed.values("uuid"))
    Refund.objects.filter(pk__in=refunds).update(state=RefundState.WITHDRAWN, settled_at=now)


def _restore(booking: Booking, entry: LedgerEntry) -> None:
    """What was settled is open again; how it had come about stays in the ledger."""
    details = typed_details(entry)
    if entry.source == State.PENDING:
        if booking.guardian_consent_at == entry.at:
            booking.guardian_consent_at = None
            booking.guardian_consent_by = booking.guardian_name = booking.guardian_proof = ""
        if isinstance(details, Approved):
            _forget_session(booking, details)
    Alternative.objects.filter(booking=booking).delete()
    booking.note_to_visitor = booking.refund_note = ""


def _forget_session(booking: Booking, approved: Approved) -> None:
    booking.psychologist = booking.slot_start = booking.slot_end = None
    booking.amount_paise = booking.pay_by = booking.sponsored_month = None
    booking.meeting_link = booking.address = ""
    booking.corporate_id = approved.corporate or approved.not_sponsored_by or booking.corporate_id


def _hold_again(booking: Booking, entry: LedgerEntry, *, now: datetime) -> date | None:
    """What a cancellation gave back is taken again; the sponsor's month that has the session, if one does.

    Refuses: already_active, slot_taken, sponsor_does_not_cover.
    """
    if booking.state not in ACTIVE and booking.origin == Origin.VISITOR:
        others = Booking.objects.filter(client=booking.client_id, origin=Origin.VISITOR, state__in=ACTIVE)
        if others.exists():
            raise Refused(Code.ALREADY_ACTIVE)
    if entry.source not in HOLDS_SLOT:
        return None
    session = held_session(booking)
    claims.claim_slot(booking, claims.slot_with(psychologist_of(booking), session.start, session.end), now=now)
    if details_of(entry, Cancelled).returned_to_sponsor is None:
        return None
    sponsors.reserve(booking, session.start)
    return booking.sponsored_month


def _step_back(booking: Booking, entry: LedgerEntry, details: Undone, *, actor: str, now: datetime) -> None:
    """To the state, the reason, the deadline, the wish to cancel and the choice that the decision ended."""
    ended = details_of(entry, Undoable)
    booking.cancellation_requested_at, booking.choose_by = ended.asked_was, ended.choice_was
    step, due_at = booking.undo_to_pending, ended.due_was
    if entry.source in AWAITS_PAYMENT:
        step = booking.undo_to_approved
    elif entry.source == State.CONFIRMED:
        step = booking.undo_to_confirmed
    if entry.source == State.PAYMENT_PENDING:
        due_at = policy.payment_deadline(payment_terms(booking).pay_by, held_session(booking).start)
    before = LedgerEntry.objects.get(booking=booking, sequence=entry.sequence - 1)
    run_transition(
        booking,
        lambda: step(due_at=required(due_at, "due_was", entry), reason=before.reason),
        intent=Intent.UNDO_DECISION,
        actor=actor,
        now=now,
        saving=SETTLED_BY_UNDO,
        details=details,
    )
