"""What staff settle at the desk: a request by phone, a sponsor, an outcome, more time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.bookings import policy, sponsors
from backend.bookings.guarantees import HeldSession, held_session, payment_terms
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import DeadlineExtended, OutcomeRecorded, Sponsored
from backend.bookings.lifecycle.attempts import lock_open_attempts
from backend.bookings.lifecycle.callers import reachable, recorded_just_now
from backend.bookings.lifecycle.creation import (
    Draft,
    build_pending,
    check_draft,
    client_without_address,
    fill_client,
    insert,
    lock_client_at,
    notify_request_received,
)
from backend.bookings.lifecycle.payments import confirm
from backend.bookings.lifecycle.renewal import renew_last
from backend.bookings.lifecycle.session_terms import replan_payment_reminder
from backend.bookings.lifecycle.transaction import intent, lock_booking, record_event, write_ledger
from backend.bookings.machine import TAKES_PLACE, State
from backend.bookings.models import Booking, ClosedDay, Link, Origin, Outcome, Purpose
from backend.bookings.notices import Notice
from backend.bookings.payment_status import CALLED_OFF, is_paid_up, paid_payments
from backend.core.errors import Code, Refused
from backend.outbox import renewals
from backend.people.models import Corporate


@dataclass(frozen=True)
class RecordedRequest:
    """A caller's booking; not new when the very same request had come a moment before."""

    booking: Booking
    is_new: bool


@intent
def create_by_staff(draft: Draft, *, actor: str, now: datetime) -> RecordedRequest:
    """∅ → PENDING for a caller on the phone: born proved, with its id at once; may stand beside the caller's others.

    The same request again within DRAFT_REPEAT_WINDOW adds nothing. Refuses: date_past, age_refused, wish_unknown,
    wish_past, contact_required.
    """
    draft = reachable(draft)
    check_draft(draft, now=now)
    known = lock_client_at(draft.email, now=now)[0] if draft.email else None
    earlier = recorded_just_now(known, draft, now=now)
    if earlier is not None:
        return RecordedRequest(earlier, is_new=False)
    client = known or client_without_address(now=now)
    day_at = ClosedDay.calendar()
    booking = build_pending(client, draft, day_at, origin=Origin.STAFF, now=now)
    insert(booking)
    fill_client(client, booking)
    write_ledger(booking, intent=Intent.CREATE_BY_STAFF, source="", actor=actor, now=now)
    notify_request_received(booking, day_at, now=now)
    return RecordedRequest(booking, is_new=True)


@intent
def sponsor(booking_id: int, corporate_id: int | None, *, actor: str, now: datetime) -> Booking:
    """PENDING: noted, so that approval asks the sponsor first; None: the visitor pays after all. APPROVED or
    PAYMENT_PENDING → CONFIRMED.

    Refuses: booking_unknown, sponsor_unknown, sponsor_does_not_cover, already_paid, part_paid, state_refuses.
    """
    corporate = Corporate.objects.filter(pk=corporate_id, is_active=True).first() if corporate_id is not None else None
    if corporate is None and corporate_id is not None:
        raise Refused(Code.SPONSOR_UNKNOWN)
    booking = lock_booking(booking_id)
    if is_paid_up(booking):
        raise Refused(Code.ALREADY_PAID)
    if paid_payments(booking) and booking.state not in CALLED_OFF:
        raise Refused(Code.PART_PAID)
    if booking.state not in (State.PENDING, State.APPROVED, State.PAYMENT_PENDING):
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    if corporate is None and booking.state != State.PENDING:
        raise Refused(Code.SPONSOR_UNKNOWN)
    booking.corporate = corporate
    details = Sponsored(corporate=corporate_id)
    if booking.state == State.PENDING:
        record_event(booking, intent=Intent.SPONSOR, actor=actor, now=now, saving=["corporate"], details=details)
    else:
        sponsors.reserve(booking, held_session(booking).start)
        confirm(booking, lock_open_attempts(booking), intent=Intent.SPONSOR, details=details, actor=actor, now=now)
    return booking


def recordable(session: HeldSession, *, now: datetime) -> tuple[Outcome, ...]:
    """What may be recorded now: from the session's start all, and a while before it that the visitor came."""
    if not session.start - policy.ARRIVAL_OPENS <= now < session.end + policy.OUTCOME_OPEN_FOR:
        return ()
    return tuple(Outcome) if now >= session.start else (Outcome.ATTENDED, Outcome.UNRECORDED)


@intent
def record_outcome(booking_id: int, outcome: Outcome, *, actor: str, now: datetime) -> Booking:
    """No transition: what became of the session, recorded or corrected until OUTCOME_OPEN_FOR after it.

    Refuses: booking_unknown, state_refuses, outcome_closed.
    """
    booking = lock_booking(booking_id)
    if booking.state not in TAKES_PLACE:
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    session = held_session(booking)
    if outcome not in recordable(session, now=now):
        raise Refused(Code.OUTCOME_CLOSED)
    was = Outcome(booking.outcome)
    booking.outcome = outcome
    is_our_fault = outcome is Outcome.PRACTICE_ABSENT
    details = OutcomeRecorded(
        was,
        outcome,
        returned_to_sponsor=sponsors.return_session(booking, now=now) if is_our_fault else None,
        taken_from_sponsor=None if is_our_fault else sponsors.reserve_again(booking),
    )
    saving = ["outcome", "sponsorship_returned_at"]
    record_event(booking, intent=Intent.RECORD_OUTCOME, actor=actor, now=now, saving=saving, details=details)
    return booking


# who may be given more time, and which mails told the visitor of the time they had
EXTENDABLE = {
    State.DRAFT: (Notice.DRAFT_SUBMITTED, Notice.DRAFT_STILL_UNVERIFIED),
    State.PENDING: (Notice.BOOKING_RECEIVED, Notice.ANSWER_LATE),
    State.APPROVED: (
        Notice.BOOKING_APPROVED,
        Notice.BOOKING_MOVED,
        Notice.PAYMENT_STILL_DUE,
        Notice.PAYMENT_ATTEMPT_FAILED,
        Notice.PAYMENT_RECEIVED,
        Notice.PAYMENT_VOIDED,
    ),
}
# what speaks of a deadline at a time of its own, and so comes as much later as that
TO_VISITOR = (Notice.DRAFT_STILL_UNVERIFIED, Notice.ANSWER_LATE)
TO_STAFF = (Notice.STAFF_BOOKING_WAITING, Notice.MANAGER_BOOKING_OVERDUE)


@intent
def extend_deadline(booking_id: int, state: State, span: timedelta, *, actor: str, now: datetime) -> bool:
    """No transition: more time after an outage of ours; never past the slot's start. False: nothing to extend.

    Reminders of the deadline move with it, and who was told of the old one is told of the new.
    """
    booking = lock_booking(booking_id)
    if booking.state != state or state not in EXTENDABLE or booking.due_at is None:
        return False
    before = booking.due_at
    booking.due_at = before + span
    if state == State.APPROVED:
        starts_at = held_session(booking).start
        booking.pay_by = min(payment_terms(booking).pay_by + span, starts_at)
        booking.due_at = policy.payment_deadline(booking.pay_by, starts_at)
    if state == State.DRAFT:
        Link.objects.filter(booking=booking, purpose=Purpose.BOOKING).update(expires_at=booking.due_at)
    details = DeadlineExtended(was=before, to=booking.due_at)
    record_event(
        booking, intent=Intent.EXTEND_DEADLINE, actor=actor, now=now, saving=["due_at", "pay_by"], details=details
    )
    _keep_word(booking, state, span, now=now)
    return True


def _keep_word(booking: Booking, state: State, span: timedelta, *, now: datetime) -> None:
    """Whoever was told of the old deadline is told of the new one, unless that is over too."""
    deadline = booking.due_at
    renewals.replan(booking.pk, TO_STAFF, lambda row: row.not_before + span)
    if deadline is not None:
        awake = lambda row: policy.outside_quiet_hours(row.not_before + span, deadline=deadline, now=now)  # noqa: E731
        renewals.replan(booking.pk, TO_VISITOR, awake)
    if state == State.APPROVED:
        replan_payment_reminder(booking, now=now)
        deadline = booking.pay_by
    if deadline is not None and deadline > now:
        renew_last(booking, EXTENDABLE[state], now=now)
