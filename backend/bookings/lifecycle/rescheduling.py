"""Moving a session in place: same id, same payment, one UPDATE of its claim; and how a visitor does it.

A visitor moves by the mailed link, CANCEL_NOTICE ahead in every state, MOVES_BY_VISITOR times, and to a slot that is
offered; staff move as they see fit (`reschedule`). Either ends the wait for a choice (`choices`), whose move is not
counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from backend.bookings import links, policy, sponsors
from backend.bookings.guarantees import deadline, held_session, payment_terms
from backend.bookings.intents import Intent
from backend.bookings.ledger_details import Moved
from backend.bookings.lifecycle import rooms
from backend.bookings.lifecycle.callers import require_address
from backend.bookings.lifecycle.notify import enqueue_reminders, notify_psychologist, notify_visitor
from backend.bookings.lifecycle.session_terms import (
    Approval,
    begin_payment_reminder_anew,
    check_hours,
    replan_payment_reminder,
    set_place,
    slot_of,
    time_to_pay,
)
from backend.bookings.lifecycle.transaction import VISITOR, intent, lock_booking, record_event
from backend.bookings.machine import HOLDS_SLOT, State
from backend.bookings.models import Booking, Link, Outcome, Purpose
from backend.bookings.notices import Notice
from backend.bookings.refund_policy import move_until, moves_left
from backend.core.errors import Code, Refused
from backend.people.models import Psychologist
from backend.scheduling import claims
from backend.scheduling.free_slots import FreeSlot, SlotSearch, free_slots

SETTLED_BY_MOVE = (
    "psychologist",
    "slot_start",
    "slot_end",
    "meeting_link",
    "address",
    "pay_by",
    "due_at",
    "moved_by_staff_at",
    "moves_by_visitor",
    "choose_by",
    "sponsored_month",
    "sponsorship_returned_at",
    "outcome",
)


@dataclass(frozen=True)
class SlotChoice:
    """The psychologist and the start that a visitor chose."""

    psychologist_id: int
    slot_start: datetime


@intent
def reschedule_by_visitor(token: str, choice: SlotChoice, *, now: datetime) -> Booking:
    """No transition: moves an active session in place, as `reschedule` does. Spends the link.

    A link that was used shows the booking as it is. Refuses: link_unknown, link_expired, state_refuses, move_too_late,
    moves_used_up, slot_taken (also for what is not offered), slot_too_near, address_required, meeting_link_required,
    month_not_sponsored.
    """
    link = links.find(token, Purpose.RESCHEDULE)
    held = link.booking.psychologist_id
    locked = claims.lock_psychologists([pk for pk in (held, choice.psychologist_id) if pk is not None])
    booking = lock_booking(link.booking_id)
    if Link.objects.get(pk=link.pk).spent_at is not None:
        return booking
    refuse_unless_movable(booking, link, now=now)
    if booking.psychologist_id != held or held is None:  # moved by staff since our look: their mail has a new link
        raise Refused(Code.LINK_EXPIRED)
    found = _offered(booking, choice, now=now)
    if found is None:
        raise Refused(Code.SLOT_TAKEN)
    if not links.spend(link, now=now):
        raise Refused(Code.LINK_EXPIRED)
    psychologist = locked[choice.psychologist_id]
    if psychologist.pk != held or found.location_id is not None:
        set_place(booking, psychologist, location_id=found.location_id)
    if booking.choose_by is None:  # staff asked for the other one
        booking.moves_by_visitor += 1
    slot = claims.slot_with(psychologist, found.start, found.start + held_session(booking).length)
    move_session(booking, locked[held], psychologist, slot, actor=VISITOR, now=now)
    return booking


def refuse_unless_movable(booking: Booking, link: Link, *, now: datetime) -> None:
    """Refuses: state_refuses, moves_used_up, move_too_late, link_expired."""
    refuse_unless_in_time(booking, now=now)
    if link.spent_at is not None or link.expires_at is None or link.expires_at <= now:
        raise Refused(Code.LINK_EXPIRED)


def refuse_unless_mail_moves(booking: Booking, *, now: datetime) -> None:
    """Whether the link works that the session's mails carry. Refuses: no_address, as `refuse_unless_movable`."""
    require_address(booking)
    refuse_unless_in_time(booking, now=now)
    if links.has_expired(booking, Purpose.RESCHEDULE, now=now):
        raise Refused(Code.LINK_EXPIRED)


def refuse_unless_in_time(booking: Booking, *, now: datetime) -> None:
    """Refuses: state_refuses, moves_used_up, move_too_late."""
    if booking.state not in HOLDS_SLOT:
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    if booking.choose_by is not None:
        return  # staff asked for it, and it is in time as long as it has not lapsed
    if moves_left(booking) == 0:
        raise Refused(Code.MOVES_USED_UP)
    ends_at = move_until(booking)
    if ends_at is None or now > ends_at:
        raise Refused(Code.MOVE_TOO_LATE)


def slots_to_move_to(booking: Booking, start: datetime, end: datetime, *, now: datetime) -> list[FreeSlot]:
    """What is offered to a visitor who moves this session, of what begins in `[start, end)`."""
    if booking.state != State.CONFIRMED:  # what is still to be paid online needs time for that
        start = max(start, now + policy.ONLINE_PAYMENT_NOTICE)
    found = free_slots(SlotSearch(start, end, mode=booking.mode, for_booking_id=booking.pk), now=now)
    was = (booking.psychologist_id, booking.slot_start)
    return [slot for slot in found if (slot.psychologist_id, slot.start) != was]


def _offered(booking: Booking, choice: SlotChoice, *, now: datetime) -> FreeSlot | None:
    window = choice.slot_start, choice.slot_start + timedelta(seconds=1)
    found = slots_to_move_to(booking, *window, now=now)
    return next((slot for slot in found if slot.psychologist_id == choice.psychologist_id), None)


def move_session(
    booking: Booking, before: Psychologist, psychologist: Psychologist, slot: claims.Slot, *, actor: str, now: datetime
) -> None:
    """The move itself, and everybody who hears of it. The caller holds the locks and has settled the place.

    Refuses: slot_taken, month_not_sponsored.
    """
    was = held_session(booking)
    sponsors.move(booking, slot.start)
    claims.move_claim(booking, slot, now=now)
    details = Moved(was=was.start, to=slot.start, from_psychologist=before.pk, to_psychologist=psychologist.pk)
    booking.psychologist, booking.slot_start, booking.slot_end = psychologist, slot.start, slot.end
    booking.outcome = Outcome.UNRECORDED  # what was recorded is of the time before; the ledger keeps it
    had_until, was_to_choose = booking.pay_by, booking.choose_by is not None
    _settle_deadline(booking, now=now)
    booking.choose_by = None
    record_event(booking, intent=Intent.RESCHEDULE, actor=actor, now=now, saving=SETTLED_BY_MOVE, details=details)
    rooms.follow(booking, booking.state, now=now, is_moved=True)
    if booking.state != State.CONFIRMED and was_to_choose:  # nobody was to pay meanwhile, nor reminded of it
        begin_payment_reminder_anew(booking, now=now)
    elif booking.state != State.CONFIRMED and booking.pay_by != had_until:
        replan_payment_reminder(booking, now=now)
    _announce(booking, before, now=now)


def _settle_deadline(booking: Booking, *, now: datetime) -> None:
    """The deadlines that depend on the slot; a move never gives more time to pay, but a choice begins it anew."""
    session = held_session(booking)
    if booking.state == State.CONFIRMED:
        booking.due_at = policy.completion(session.end)
        return
    to_pay = time_to_pay(booking, session.start, now=now)
    booking.pay_by = to_pay if booking.choose_by is not None else min(payment_terms(booking).pay_by, to_pay)
    due_at = policy.payment_deadline(booking.pay_by, session.start)
    is_anew = booking.choose_by is not None and booking.state == State.APPROVED
    booking.due_at = due_at if is_anew else min(deadline(booking), due_at)


def _announce(booking: Booking, before: Psychologist, *, now: datetime) -> None:
    """Both sides hear; links that spoke of the old time die; the reminders of the new time are owed."""
    links.revoke(booking, Purpose.CANCEL_LATE, Purpose.RESCHEDULE, Purpose.ROOM, now=now)
    notify_visitor(booking, Notice.BOOKING_MOVED, now=now)
    if booking.state != State.CONFIRMED:
        return
    enqueue_reminders(booking, now=now)
    if before.pk != booking.psychologist_id:
        notify_psychologist(booking, Notice.PSYCHOLOGIST_SESSION_CANCELLED, now=now, who=before)
        notify_psychologist(booking, Notice.PSYCHOLOGIST_SESSION_CONFIRMED, now=now)
    else:
        notify_psychologist(booking, Notice.PSYCHOLOGIST_SESSION_MOVED, now=now)


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
    locked = claims.lock_psychologists([pk for pk in (held, wanted_id) if pk is not None])
    booking = lock_booking(booking_id)
    if booking.state not in HOLDS_SLOT:
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    if booking.psychologist_id != held:  # moved by somebody else between our look and our lock
        raise Refused(Code.STATE_REFUSES, state=booking.state)
    psychologist = locked.get(wanted_id) if wanted_id is not None else None
    if psychologist is None or not psychologist.is_active:
        raise Refused(Code.PSYCHOLOGIST_REQUIRED)
    before = locked[held] if held is not None else psychologist
    was = held_session(booking)
    length = was.length if move.slot_length is None else move.slot_length
    place = Approval(psychologist.pk, move.slot_start, length)
    slot = slot_of(psychologist, place, now=now)
    is_same_time = (psychologist.pk, slot.start, slot.end) == (held, was.start, was.end)
    despite_hours = move.despite_hours or is_same_time
    location_id = check_hours(booking, psychologist, slot, despite_hours=despite_hours, now=now)
    location_id = move.location_id or (None if is_same_time else location_id)
    if psychologist.pk != held or move.meeting_link or location_id:
        set_place(booking, psychologist, meeting_link=move.meeting_link, location_id=location_id)
    booking.moved_by_staff_at = now
    move_session(booking, before, psychologist, slot, actor=actor, now=now)
    return booking
