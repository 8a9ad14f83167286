"""A psychologist who cannot come: time off, and what becomes of each booking in it, as staff decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import DatabaseError, transaction

from backend.bookings.lifecycle.cancellation import RefundChoice, cancel_by_staff
from backend.bookings.lifecycle.choices import offer_choice
from backend.bookings.lifecycle.preview import BookingChange, ChangeObserver, preview_transaction_many
from backend.bookings.lifecycle.rescheduling import Move, reschedule
from backend.bookings.lifecycle.transaction import intent
from backend.bookings.models import Booking
from backend.core import database_timeouts
from backend.core.errors import Code, Refused
from backend.people.models import TimeOff
from backend.scheduling import claims
from backend.scheduling.rebooking_options import affected_bookings


@dataclass(frozen=True)
class Absence:
    """Who is away, `[start, end)`."""

    psychologist_id: int
    start: datetime
    end: datetime
    note: str = ""  # for the practice alone


@dataclass(frozen=True)
class AbsenceDecision:
    """What becomes of one booking, seen as of this ledger row: moved there, or cancelled with all its money.

    Or its visitor chooses.
    """

    booking_id: int
    seen: int
    move: Move | None
    visitor_chooses: bool = False


@dataclass(frozen=True)
class DecisionResult:
    """What came of it: refused, held by another transaction, or done."""

    booking_id: int
    refused: Refused | None
    is_held: bool = False
    change: BookingChange | None = None  # all that would be written for it, where it was only tried


def record_absence(
    absence: Absence, decisions: Iterable[AbsenceDecision], *, note_to_visitor: str, actor: str, now: datetime
) -> list[DecisionResult]:
    """Record the time off, then carry out the decisions, each in a transaction of its own; what fails is told.

    The time off comes first, so that nobody books into it meanwhile. Refuses: psychologist_required, slot_invalid.
    """
    record_time_off(absence)
    return decide_each(decisions, note_to_visitor=note_to_visitor, actor=actor, now=now)


def decide_each(
    decisions: Iterable[AbsenceDecision], *, note_to_visitor: str, actor: str, now: datetime
) -> list[DecisionResult]:
    """Carry out decisions about bookings in the way, each in a transaction of its own; what fails is told."""
    return [_carry_out(one, note_to_visitor=note_to_visitor, actor=actor, now=now) for one in decisions]


def preview_each(
    decisions: Sequence[AbsenceDecision], *, note_to_visitor: str, actor: str, now: datetime
) -> list[DecisionResult]:
    """What `decide_each` would do: the same code is run and rolled back."""
    with preview_transaction_many([one.booking_id for one in decisions], _moved_to(decisions)) as witness:
        results = decide_each(decisions, note_to_visitor=note_to_visitor, actor=actor, now=now)
        return [_witnessed(one, witness) for one in results]


def preview_absence(
    absence: Absence, decisions: Sequence[AbsenceDecision], *, note_to_visitor: str, actor: str, now: datetime
) -> list[DecisionResult]:
    """What `record_absence` would do: the same code is run and rolled back. Refuses: as record_absence."""
    booking_ids = [one.booking_id for one in decisions]
    with preview_transaction_many(booking_ids, [absence.psychologist_id, *_moved_to(decisions)]) as witness:
        results = record_absence(absence, decisions, note_to_visitor=note_to_visitor, actor=actor, now=now)
        return [_witnessed(one, witness) for one in results]


def _moved_to(decisions: Sequence[AbsenceDecision]) -> list[int]:
    return [one.move.psychologist_id for one in decisions if one.move and one.move.psychologist_id]


def _witnessed(result: DecisionResult, witness: ChangeObserver) -> DecisionResult:
    return result if result.refused else replace(result, change=witness.change(result.booking_id))


@intent
def record_time_off(absence: Absence) -> TimeOff:
    """Under the psychologist's lock, which every claim takes too. What is covered already is not recorded twice.

    Refuses: psychologist_required, slot_invalid.
    """
    if absence.end <= absence.start:
        raise Refused(Code.SLOT_INVALID)
    if not claims.lock_psychologists([absence.psychologist_id]):
        raise Refused(Code.PSYCHOLOGIST_REQUIRED)
    same = TimeOff.objects.filter(psychologist=absence.psychologist_id)
    covering = same.filter(starts_at__lte=absence.start, ends_at__gte=absence.end).first()
    if covering is not None:
        return covering
    return TimeOff.objects.create(
        psychologist_id=absence.psychologist_id, starts_at=absence.start, ends_at=absence.end, note=absence.note
    )


@intent
def mark_busy(absence: Absence) -> TimeOff:
    """Time off that touches no session: what is booked is for whoever decides about it, on the page *Away*.

    Refuses: psychologist_required, slot_invalid, time_booked.
    """
    if not claims.lock_psychologists([absence.psychologist_id]):
        raise Refused(Code.PSYCHOLOGIST_REQUIRED)
    booked = affected_bookings(absence.psychologist_id, absence.start, absence.end)
    if booked:
        raise Refused(Code.TIME_BOOKED, booked=", ".join(map(str, booked)))
    return record_time_off(absence)


@intent
def remove_time_off(psychologist_id: int, time_off_id: int) -> bool:
    """The time is offered again at once. False: it was removed before."""
    claims.lock_psychologists([psychologist_id])
    found = TimeOff.objects.filter(pk=time_off_id, psychologist=psychologist_id).first()
    if found is None:
        return False
    found.delete()
    return True


def _carry_out(decision: AbsenceDecision, *, note_to_visitor: str, actor: str, now: datetime) -> DecisionResult:
    try:
        with transaction.atomic():
            _decide(decision, note_to_visitor=note_to_visitor, actor=actor, now=now)
            after = Booking.objects.only("ledger_sequence", "state").get(pk=decision.booking_id)
            if after.ledger_sequence != decision.seen + 1:  # somebody else's row stands between: see it first
                raise Refused(Code.STATE_REFUSES, state=after.state)
    except Refused as refused:
        return DecisionResult(decision.booking_id, refused)
    except DatabaseError as error:  # what was decided before it stays done, so the answer cannot be "try again"
        if not database_timeouts.is_timeout(error):
            raise
        return DecisionResult(decision.booking_id, None, is_held=True)
    return DecisionResult(decision.booking_id, None)


def _decide(decision: AbsenceDecision, *, note_to_visitor: str, actor: str, now: datetime) -> None:
    if decision.visitor_chooses:
        offer_choice(decision.booking_id, actor=actor, now=now)
        return
    if decision.move is not None:
        reschedule(decision.booking_id, decision.move, actor=actor, now=now)
        return
    cancel_by_staff(
        decision.booking_id,
        note_to_visitor=note_to_visitor,
        refund=RefundChoice.FULL,
        refund_reason="",
        actor=actor,
        now=now,
        is_undoable=True,
    )
